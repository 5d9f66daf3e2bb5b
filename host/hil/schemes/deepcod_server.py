"""DeepCOD's server half: a decoder gives back the map that the uncompressed network would have had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from hil.schemes.agilenn_server import ServerHalf
from hil.schemes.deepcod_device import MIDDLE, Size

_NARROWER = 8
"""Queries and keys have that many times fewer channels than the map (as the authors')."""
_POOLED = 2
"""Side of a pool."""


class SelfAttention(nn.Module):
    """Every place looks at the whole map (Zhang et al., ICML 2019), and what it sees is added to it.

    By a gain that starts at 0, so that training begins with convolutions alone. What is looked at
    is a pooled map, as the authors': a quarter of the weights.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(1, channels // _NARROWER)
        self.query = nn.Conv2d(channels, inner, 1)
        self.key = nn.Conv2d(channels, inner, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.gain = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """The shape of `x`."""
        pooled = avg_pool2d(x, _POOLED, ceil_mode=True)
        query = self.query(x).flatten(2)
        key, value = (part(pooled).flatten(2) for part in (self.key, self.value))
        weights = torch.softmax(query.transpose(1, 2) @ key, dim=2)
        seen = value @ weights.transpose(1, 2)
        return x + cast(Tensor, self.gain * seen.reshape(x.shape))


class ResidualUp(nn.Module):
    """A residual block that ends in a larger map: norm, ReLU, enlarge, convolution, and again."""

    def __init__(self, inputs: int, outputs: int, size: Size) -> None:
        super().__init__()
        self.size = size
        self.before = nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU())
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        )
        self.skip = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) → (N, outputs, *size)."""
        body = self.body(interpolate(self.before(x), self.size))
        # A 1×1 convolution and nearest neighbours may change places: this order is the cheaper one.
        return cast(Tensor, body + interpolate(self.skip(x), self.size))


class Decoder(nn.Module):
    """Measurements → the stem's map, in the range of its ReLU6."""

    def __init__(self, channels: int, width: int, sizes: Sequence[Size], outputs: int) -> None:
        super().__init__()
        self.lift = nn.Conv2d(channels, width, 3, padding=1)
        self.attention = SelfAttention(width)
        self.rise = nn.Sequential(*(ResidualUp(width, width, size) for size in sizes))
        self.last = nn.Sequential(
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU6(),
        )

    def forward(self, values: Tensor) -> Tensor:
        """(N, channels, h, w) in [0, 6] → (N, outputs, *sizes[-1])."""
        return cast(Tensor, self.last(self.rise(self.attention(self.lift(values - MIDDLE)))))


class DecodingServer(nn.Module):
    """Centroid values → logits: the decoder, then the rest of the uncompressed network."""

    def __init__(self, decoder: Decoder, rest: ServerHalf) -> None:
        super().__init__()
        self.decoder = decoder
        self.rest = rest

    def forward(self, values: Tensor) -> Tensor:
        """(N, channels, h, w) → (N, classes)."""
        return cast(Tensor, self.rest(self.decoder(values)))


class Uncompressed(nn.Module):
    """The standard network, edge-only's, on prepared inputs; it is cut behind its stem."""

    def __init__(self, inputs: int, stem: int, rest: ServerHalf) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(inputs, stem, 3, 3, bias=False), nn.BatchNorm2d(stem), nn.ReLU6())
        self.rest = rest

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, classes)."""
        return cast(Tensor, self.rest(self.stem(x)))
