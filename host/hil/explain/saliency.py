"""Gradient saliency (Simonyan et al., 2013): how steeply the loss reacts to each feature."""

from __future__ import annotations

from torch import Tensor

from hil.explain.gradients import LossOf, gradient, per_channel


def importance(features: Tensor, loss_of: LossOf, differentiable: bool = False) -> Tensor:
    """Importance (N, C) of each channel of `features` (N, C, h, w)."""
    return per_channel(gradient(features, loss_of, differentiable))
