"""The block of MobileNetV2 (Sandler et al., CVPR 2018), of which both server halves and MCUNet are made."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn


def pointwise(inputs: int, outputs: int) -> list[nn.Module]:
    """1×1 convolution, batch norm, ReLU6."""
    return [nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU6()]


class InvertedResidual(nn.Module):
    """Expand, depthwise, project; added to the input where shapes allow."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int, kernel: int = 3) -> None:
        super().__init__()
        inner = inputs * expansion
        self.residual = stride == 1 and inputs == outputs
        self.body = nn.Sequential(
            *(pointwise(inputs, inner) if expansion > 1 else []),
            nn.Conv2d(inner, inner, kernel, stride, kernel // 2, groups=inner, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU6(),
            nn.Conv2d(inner, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) → (N, outputs, ⌈h/stride⌉, ⌈w/stride⌉)."""
        y = cast(Tensor, self.body(x))
        return x + y if self.residual else y
