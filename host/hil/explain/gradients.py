"""The derivative that every attribution starts from."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

LossOf = Callable[[Tensor], Tensor]
"""Features (N, C, h, w) → one loss per sample (N,), by a frozen network in evaluation mode."""


def gradient(features: Tensor, loss_of: LossOf, differentiable: bool) -> Tensor:
    """∂loss/∂features at `features`, the same shape.

    Samples must not influence each other's loss (no batch norm in training mode), so that the
    gradient of the sum is every sample's own. With `differentiable` the result can be
    back-propagated through, into `features` as well.
    """
    with torch.enable_grad():  # an evaluation usually runs without
        at = features if features.requires_grad else features.detach().requires_grad_()
        (slope,) = torch.autograd.grad(loss_of(at).sum(), at, create_graph=differentiable)
    return slope


def per_channel(attributions: Tensor) -> Tensor:
    """Importance (N, C) of each channel: the absolute attributions summed over the map."""
    return attributions.abs().sum(dim=(2, 3))
