"""AgileNN's server half: a MobileNetV2 body (Sandler et al., CVPR 2018) on the dequantised payload."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from hil.schemes.layers import Classifier, separable

Stage = tuple[int, int, int, int]
"""(expansion, channels, repeats, stride of the first repeat)"""


def _pointwise(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU6()]


class InvertedResidual(nn.Module):
    """Expand, depthwise 3×3, project; added to the input where shapes allow."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.residual = stride == 1 and inputs == outputs
        self.body = nn.Sequential(
            *(_pointwise(inputs, inner) if expansion > 1 else []),
            nn.Conv2d(inner, inner, 3, stride, 1, groups=inner, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU6(),
            nn.Conv2d(inner, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) → (N, outputs, h/stride, w/stride)."""
        y = cast(Tensor, self.body(x))
        return x + y if self.residual else y


class ServerHalf(nn.Module):
    """Centroid values → logits."""

    def __init__(self, channels: int, stem: int, stages: Sequence[Stage], head: int, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [separable(channels, stem, stride=1, padding=1)]
        width = stem
        for expansion, outputs, repeats, stride in stages:
            for repeat in range(repeats):
                layers.append(InvertedResidual(width, outputs, expansion, stride if repeat == 0 else 1))
                width = outputs
        self.body = nn.Sequential(*layers, *_pointwise(width, head))
        self.predictor = Classifier(head, classes)

    def forward(self, values: Tensor) -> Tensor:
        """(N, channels, h, w) → (N, classes)."""
        logits: Tensor = self.predictor(self.body(values))
        return logits
