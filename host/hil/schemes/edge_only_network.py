"""Edge-only's halves: a device that hands its pixels on, and a server with the whole network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from hil.bundle import InputFormat
from hil.schemes.agilenn_server import ServerHalf, Stage


class Untouched(nn.Module):
    """The device half: no layer. The map that is sent is the input."""

    def forward(self, x: Tensor) -> tuple[None, Tensor]:
        """(N, C, H, W) → no logits, and `x`."""
        return None, x


class Whole(nn.Module):
    """Pixels in [0, 1] → logits.

    AgileNN's remote predictor behind a stem that brings the upscaled image to the map it expects:
    a window of 3 at stride 3, as AgileNN's own extractor has it, but a full convolution, since a
    server need not save.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, form: InputFormat, stem: int, server_stem: int, stages: Sequence[Stage], head: int, classes: int
    ) -> None:
        super().__init__()
        self.upscale = form.upscale
        # Of the data set, not learned: the manifest has them.
        self.register_buffer("mean", torch.tensor(form.mean)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(form.std)[:, None, None], persistent=False)
        self.stem = nn.Sequential(
            nn.Conv2d(form.channels, stem, 3, 3, bias=False), nn.BatchNorm2d(stem), nn.ReLU6()
        )
        self.rest = ServerHalf(stem, server_stem, stages, head, classes)

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, C, H, W) in [0, 1], at their stored size → (N, classes)."""
        x = (pixels - self.mean) / self.std
        x = x.repeat_interleave(self.upscale, 2).repeat_interleave(self.upscale, 3)
        return cast(Tensor, self.rest(self.stem(x)))
