"""What an epoch came to."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from hil.training.batches import Batches

_SAMPLES = 256
"""Of the training split, always the same: a forward pass over them is cheap beside an epoch."""


class Mean:
    """Of a figure over an epoch's steps, gathered where it is computed."""

    def __init__(self) -> None:
        self._sum: Tensor | None = None
        self.count = 0

    def add(self, value: Tensor) -> None:
        """Takes a scalar."""
        value = value.detach()
        self._sum = value.clone() if self._sum is None else self._sum.add_(value)
        self.count += 1

    def value(self) -> float:
        """0 where there was nothing."""
        return 0.0 if self._sum is None else self._sum.item() / self.count


@torch.no_grad()
def accuracy(network: nn.Module, logits_of: Callable[[Tensor], Tensor], batches: Batches) -> float:
    """Share of the first samples that `logits_of` gets right, with `network` in evaluation mode meanwhile."""
    images, labels = batches.head(_SAMPLES)
    network.eval()
    right = logits_of(images).argmax(1) == labels
    network.train()
    return right.float().mean().item()
