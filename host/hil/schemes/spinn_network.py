"""SPINN's network: MobileNetV2's stages with a way out behind each, to be cut behind any but the last.

After Laskaridis et al., "SPINN: Synergistic Progressive Inference of Neural Networks over Device and
Cloud" (MobiCom 2020): one progressive network, whose split is chosen after training.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from hil.schemes.agilenn_server import Stage
from hil.schemes.inverted_residual import InvertedResidual, pointwise
from hil.schemes.layers import Classifier


def exit_of(channels: int, width: int, classes: int) -> nn.Sequential:
    """Pointwise to `width` channels, pooling, dense: as the network's own end, only narrower."""
    return nn.Sequential(*pointwise(channels, width), Classifier(width, classes))


def _stage(inputs: int, stage: Stage) -> nn.Sequential:
    """Inverted residuals that end in ReLU6: behind them may be cut, and zeros pack well."""
    expansion, outputs, repeats, stride = stage
    widths = [inputs] + [outputs] * repeats
    blocks = (
        InvertedResidual(before, after, expansion, stride if number == 0 else 1)
        for number, (before, after) in enumerate(pairwise(widths))
    )
    return nn.Sequential(*blocks, nn.ReLU6())


class DeviceHalf(nn.Module):
    """Everything before the split, and the exit there."""

    def __init__(self, stem: nn.Module, stages: Sequence[nn.Module], predictor: nn.Module) -> None:
        super().__init__()
        self.stem = stem
        self.stages = nn.ModuleList(stages)
        self.predictor = predictor

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, inputs, H, W) → the exit's logits (N, classes), and the map that is sent."""
        features: Tensor = self.stem(x)
        for stage in self.stages:
            features = stage(features)
        return self.predictor(features), features


class ServerHalf(nn.Module):
    """Everything behind the split. Its exits save the server work, by the same threshold as the device's."""

    def __init__(
        self, stages: Sequence[nn.Module], predictors: Sequence[nn.Module], confidence: float | None
    ) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.predictors = nn.ModuleList(predictors)
        self.confidence = confidence
        """Top-1 softmax at which an exit's answer stands; None: only the last one's does."""

    def progress(self, values: Tensor) -> Iterator[Tensor]:
        """(N, channels, h, w) → logits (N, classes) of one exit after the other, the last the network's."""
        for stage, predictor in zip(self.stages, self.predictors, strict=True):
            values = stage(values)
            yield predictor(values)

    def forward(self, values: Tensor) -> Tensor:
        """(N, channels, h, w) → (N, classes), each sample's of the first exit that is sure of it."""
        answer: Tensor | None = None
        for logits in self.progress(values):
            answer = logits if answer is None else torch.where(self._sure(answer)[:, None], answer, logits)
            if bool(self._sure(answer).all()):
                break
        return cast(Tensor, answer)

    def _sure(self, logits: Tensor) -> Tensor:
        if self.confidence is None:
            return torch.zeros(len(logits), dtype=torch.bool, device=logits.device)
        return confidence_of(logits) >= self.confidence


def confidence_of(logits: Tensor) -> Tensor:
    """Top-1 softmax: (…, classes) → (…)."""
    return logits.float().softmax(dim=-1).amax(dim=-1)


class ExitNetwork(nn.Module):
    """The whole, as it is trained. Both halves of every split share its modules."""

    def __init__(
        self, inputs: int, stem: int, stages: Sequence[Stage], exit_width: int, head: int, classes: int
    ) -> None:
        super().__init__()
        # The stem has no padding: stride 3 on images upscaled by 3, as AgileNN's.
        self.stem = nn.Sequential(nn.Conv2d(inputs, stem, 3, 3, bias=False), nn.BatchNorm2d(stem), nn.ReLU6())
        widths = [stem, *(stage[1] for stage in stages)]
        self.stages = nn.ModuleList(
            _stage(width, stage) for width, stage in zip(widths, stages, strict=False)
        )
        heads = [exit_width] * (len(stages) - 1) + [head]
        self.predictors = nn.ModuleList(
            exit_of(width, wide, classes) for width, wide in zip(widths[1:], heads, strict=True)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, inputs, H, W) → logits (N, classes) of every exit, the network's own last."""
        x = self.stem(x)
        logits: list[Tensor] = []
        for stage, predictor in zip(self.stages, self.predictors, strict=True):
            x = stage(x)
            logits.append(predictor(x))
        return logits

    def device(self, split: int) -> DeviceHalf:
        """What runs up to the exit behind stage `split`, counted from 1."""
        return DeviceHalf(self.stem, list(self.stages)[:split], self.predictors[split - 1])

    def server(self, split: int, confidence: float | None = None) -> ServerHalf:
        """The rest, whose exits answer from `confidence` on."""
        return ServerHalf(list(self.stages)[split:], list(self.predictors)[split:], confidence)
