"""AgileNN's server half: a MobileNetV2 body (Sandler et al., CVPR 2018) on the dequantised payload."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from hil.schemes.inverted_residual import InvertedResidual, pointwise
from hil.schemes.layers import Classifier, separable

Stage = tuple[int, int, int, int]
"""(expansion, channels, repeats, stride of the first repeat)"""


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
        self.body = nn.Sequential(*layers, *pointwise(width, head))
        self.predictor = Classifier(head, classes)

    def forward(self, values: Tensor) -> Tensor:
        """(N, channels, h, w) → (N, classes)."""
        logits: Tensor = self.predictor(self.body(values))
        return logits
