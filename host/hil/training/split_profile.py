"""What a network with exits does on a split of the data when it is cut, its features quantised on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hil.bundle import PayloadFormat
from hil.codec.coder import make_coder
from hil.schemes.spinn_network import ExitNetwork, confidence_of
from hil.training.batches import Batches
from hil.training.split_scheduler import SplitProfile

_PACKED = 256
"""Samples whose payloads are packed: LZ4 in Python takes milliseconds each."""


@dataclass(frozen=True)
class Answers:
    """Of every sample in order, and what is sent of the first ones."""

    logits: Tensor
    """(exits, N, classes), the device's exit first, the network's own end last."""
    payload_bytes: NDArray[np.float64]
    """(min(N, 256),)"""


def linear_levels(features: Tensor, count: int) -> tuple[float, ...]:
    """`count` equidistant levels over the range of `features`, widened to hold 0, which is one of them.

    256 of them are the values that the int8 graph has there, given the same samples.
    """
    low, high = min(0.0, features.min().item()), max(0.0, features.max().item())
    step = (high - low) / (count - 1) or 1.0
    zero = round(-low / step)
    return tuple(step * (index - zero) for index in range(count))


def indices(features: Tensor, levels: tuple[float, ...]) -> Tensor:
    """The nearest of the equidistant `levels`, as int64, in the shape of `features`."""
    step = levels[1] - levels[0]
    return ((features - levels[0]) / step).round().clamp(0, len(levels) - 1).to(torch.int64)


@torch.no_grad()
def payload_of(
    network: ExitNetwork, split: int, levels: int, codec: str, prepared: NDArray[np.float32]
) -> PayloadFormat:
    """What is sent behind stage `split`; `prepared` (N, H, W, C) are the samples that say the range."""
    where = next(network.parameters()).device
    _, features = network.eval().device(split)(torch.from_numpy(prepared).permute(0, 3, 1, 2).to(where))
    _, channels, height, width = features.shape
    return PayloadFormat(0, channels, height, width, linear_levels(features, levels), codec)


@torch.no_grad()
def answers(network: ExitNetwork, split: int, payload: PayloadFormat, batches: Batches) -> Answers:
    """Every exit's answers from the device's on, norms frozen."""
    network.eval()
    device, server, coder = network.device(split), network.server(split), make_coder(payload, {})
    values = torch.tensor(payload.centroids, device=batches.where)
    logits, sizes = [], list[float]()
    for images, _ in batches.in_order():
        local, features = device(batches.upscaled(images))
        sent = indices(features, payload.centroids)
        logits.append(torch.stack([local, *server.progress(values[sent])]).float().cpu())
        for symbols in sent[: max(0, _PACKED - len(sizes))].flatten(1).to(torch.uint8).cpu().numpy():
            sizes.append(float(len(coder.encode(symbols))))
    return Answers(torch.cat(logits, dim=1), np.array(sizes))


def profile(network: ExitNetwork, split: int, payload: PayloadFormat, batches: Batches) -> SplitProfile:
    """What the scheduler has to know of one split, on `batches`."""
    found = answers(network, split, payload, batches)
    images, _ = batches.head(1)
    return SplitProfile(
        split,
        macs(network.device(split), batches.upscaled(images)),
        float(found.payload_bytes.mean()),
        confidence_of(found.logits).numpy(),
        (found.logits.argmax(-1) == torch.from_numpy(batches.split.labels)).numpy(),
    )


@torch.no_grad()
def macs(network: nn.Module, x: Tensor) -> int:
    """Multiply-accumulates of convolutions and dense layers on one sample `x` (1, C, H, W)."""
    total = 0

    def count(layer: nn.Module, inputs: Any, output: Tensor) -> None:
        nonlocal total
        total += output[0].numel() * layer.get_parameter("weight")[0].numel()

    layers = [layer for layer in network.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    network(x)
    for hook in hooks:
        hook.remove()
    return total
