"""MCUNet's family of networks (Lin et al., NeurIPS 2020): inverted residuals with kernels of 3, 5 and 7."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from hil.schemes.inverted_residual import InvertedResidual

Block = tuple[int, int, int, int]
"""(expansion, channels, kernel, stride)"""


class McuNetwork(nn.Module):
    """Image → logits, all of it on the device."""

    def __init__(self, inputs: int, stem: int, blocks: Sequence[Block], classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(inputs, stem, 3, 2, 1, bias=False), nn.BatchNorm2d(stem), nn.ReLU6()
        )
        layers, width = [], stem
        for expansion, channels, kernel, stride in blocks:
            layers.append(InvertedResidual(width, channels, expansion, stride, kernel))
            width = channels
        self.blocks = nn.Sequential(*layers)
        self.classifier = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) → logits (N, classes); there is no map to send."""
        features = self.blocks(self.stem(x))
        return cast(Tensor, self.classifier(features.mean(dim=(2, 3))))
