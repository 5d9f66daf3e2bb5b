"""The reference network that judges importance: pre-trained on the data set, then frozen.

In the manner of EfficientNetV2 (Tan and Le, ICML 2021), without its ImageNet weights: SiLU, fused
and plain inverted residuals, squeeze-and-excitation. It takes images at their own size; its first
convolution gives a map of the extractor's size, so that its body can be re-rooted on the feature
map through a mapping layer (AgileNN; facts, "Reference network").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Stage = tuple[str, int, int, int, int]
"""(kind, expansion, channels, repeats, stride of the first repeat)"""


def _norm_conv(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution and norm; the frozen body folds one into the other."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


class SqueezeExcite(nn.Module):
    """Channels re-weighted by what is in the whole map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.Conv2d(channels, channels // 16 + 1, 1), nn.SiLU(), nn.Conv2d(channels // 16 + 1, channels, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """The shape of `x`."""
        return x * torch.sigmoid(self.gate(x.mean(dim=(2, 3), keepdim=True)))


class Block(nn.Module):
    """An inverted residual; `fused` expands by a 3×3 convolution instead of two."""

    def __init__(self, kind: str, inputs: int, outputs: int, expansion: int, stride: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.residual = stride == 1 and inputs == outputs
        if kind == "fused" and expansion == 1:
            layers = [_norm_conv(inputs, outputs, 3, stride), nn.SiLU()]
        elif kind == "fused":
            layers = [_norm_conv(inputs, inner, 3, stride), nn.SiLU(), _norm_conv(inner, outputs, 1)]
        else:
            layers = [
                _norm_conv(inputs, inner, 1),
                nn.SiLU(),
                _norm_conv(inner, inner, 3, stride, groups=inner),
                nn.SiLU(),
                SqueezeExcite(inner),
                _norm_conv(inner, outputs, 1),
            ]
        self.body = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) → (N, outputs, h/stride, w/stride)."""
        y = cast(Tensor, self.body(x))
        return x + y if self.residual else y


class Reference(nn.Module):
    """Images at their own size → logits."""

    def __init__(self, inputs: int, width: int, stages: Sequence[Stage], head: int, classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(_norm_conv(inputs, width, 3), nn.SiLU())
        layers: list[nn.Module] = []
        channels = width
        for kind, expansion, outputs, repeats, stride in stages:
            for repeat in range(repeats):
                layers.append(Block(kind, channels, outputs, expansion, stride if repeat == 0 else 1))
                channels = outputs
        layers += [_norm_conv(channels, head, 1), nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        self.body = nn.Sequential(*layers, nn.Linear(head, classes))

    def forward(self, images: Tensor) -> Tensor:
        """(N, inputs, h, w) → (N, classes)."""
        logits: Tensor = self.body(self.stem(images))
        return logits


def _fold(module: nn.Module) -> None:
    """Replaces every convolution and norm below `module` by one convolution."""
    for name, child in module.named_children():
        pair = list(child.children())
        if len(pair) == 2 and isinstance(pair[0], nn.Conv2d) and isinstance(pair[1], nn.BatchNorm2d):
            setattr(module, name, fuse_conv_bn_eval(pair[0], pair[1]))
        else:
            _fold(child)


class Judge(nn.Module):
    """The reference's frozen body on the extractor's feature map, behind a mapping layer (1×1)."""

    def __init__(self, reference: Reference, channels: int, width: int) -> None:
        super().__init__()
        self.mapping = nn.Conv2d(channels, width, 1)
        self.body = reference.body.eval().requires_grad_(False)
        # Attributions differentiate this network twice in every step: half the layers, half the time.
        _fold(self.body)

    def forward(self, features: Tensor) -> Tensor:
        """(N, channels, h, w) → logits (N, classes)."""
        logits: Tensor = self.body(self.mapping(features))
        return logits

    def loss(self, features: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy (N,) of each sample."""
        return nn.functional.cross_entropy(self(features), labels, reduction="none")
