"""DeepCOD's device half: a few strided convolutions, as compressive sensing measures a signal.

The authors' encoder (their repository, ImageNet) is one strided convolution on the input: linear
measurements, their channels few, spectral norm 1. So is the last layer here; the ones before it,
which a recipe may leave out, have an activation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

Row = tuple[int, int, int, int]
"""(kernel, channels, repeats, stride of the first repeat)"""
Size = tuple[int, int]

MIDDLE = 3.0
"""Of ReLU6's range, in which measurements lie."""
_SPREAD = 1.2
"""Of a measurement to begin with: the clamps are 2.5 standard deviations away."""


def padding_of(kernel: int, stride: int) -> int:
    """None where windows lie side by side: on upscaled images each then sees whole pixels only."""
    return 0 if kernel == stride else kernel // 2


def layers_of(rows: Sequence[Row]) -> list[tuple[int, int, int]]:
    """(kernel, channels, stride) of every convolution."""
    return [
        (kernel, channels, stride if repeat == 0 else 1)
        for kernel, channels, repeats, stride in rows
        for repeat in range(repeats)
    ]


def map_sizes(rows: Sequence[Row], height: int, width: int) -> list[Size]:
    """(height, width) of the map behind every convolution, for an input of `height` × `width`."""
    sizes = []
    for kernel, _, stride in layers_of(rows):
        grown = 2 * padding_of(kernel, stride) - kernel
        height, width = (height + grown) // stride + 1, (width + grown) // stride + 1
        sizes.append((height, width))
    return sizes


class Encoder(nn.Module):
    """Input → measurements in [0, 6], nearly linear: ReLU6 only cuts what lies far out."""

    def __init__(self, inputs: int, rows: Sequence[Row]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = inputs
        for kernel, channels, stride in layers_of(rows):
            padding = padding_of(kernel, stride)
            convolution = nn.Conv2d(width, channels, kernel, stride, padding, bias=False)
            layers += [convolution, nn.BatchNorm2d(channels), nn.ReLU6()]
            width = channels
        self.body = nn.Sequential(*layers)
        last = layers[-2]
        assert isinstance(last, nn.BatchNorm2d)
        with torch.no_grad():
            last.weight.fill_(_SPREAD)
            last.bias.fill_(MIDDLE)

    def convolutions(self) -> list[nn.Conv2d]:
        """In order."""
        return [layer for layer in self.body if isinstance(layer, nn.Conv2d)]

    def forward(self, x: Tensor) -> tuple[None, Tensor]:
        """(N, inputs, H, W) → no logits, and the measurements (N, channels, h, w)."""
        return None, cast(Tensor, self.body(x))
