"""The two building blocks of both halves: no biases, because a norm follows."""

from __future__ import annotations

from collections import OrderedDict
from typing import cast

from torch import Tensor, nn


def separable(inputs: int, outputs: int, stride: int, padding: int) -> nn.Sequential:
    """Depthwise 3×3, pointwise, batch norm, ReLU6. ReLU6 bounds what int8 has to represent."""
    return nn.Sequential(
        OrderedDict(
            depthwise=nn.Conv2d(inputs, inputs, 3, stride, padding, groups=inputs, bias=False),
            pointwise=nn.Conv2d(inputs, outputs, 1, bias=False),
            norm=nn.BatchNorm2d(outputs),
            activation=nn.ReLU6(),
        )
    )


class Classifier(nn.Module):
    """Global average pooling, dense to the classes, batch norm (AgileNN, facts R)."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.dense = nn.Linear(channels, classes, bias=False)
        self.norm = nn.BatchNorm1d(classes)

    def forward(self, features: Tensor) -> Tensor:
        """(N, channels, h, w) → (N, classes)."""
        return cast(Tensor, self.norm(self.dense(features.mean(dim=(2, 3)))))
