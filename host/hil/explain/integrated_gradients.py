"""Integrated gradients (Sundararajan et al., ICML 2017) by the trapezoidal rule, baseline 0.

One interval is the two-point rule of AgileNN's repository (facts, R):
½·(∂L/∂f at f + ∂L/∂f at 0)·(f − 0).
"""

from __future__ import annotations

import torch
from torch import Tensor

from hil.explain.gradients import LossOf, gradient, per_channel


def attributions(
    features: Tensor,
    loss_of: LossOf,
    intervals: int = 1,
    differentiable: bool = False,
    slope_at_zero: Tensor | None = None,
) -> Tensor:
    """Signed share of every feature in loss(features) − loss(0), the shape of `features`.

    `slope_at_zero` saves a pass where the caller knows ∂L/∂f at 0 already: for a frozen network
    it only depends on the label. Shares add up to the difference as `intervals` grows.
    """
    if intervals < 1:
        raise ValueError("integrated gradients need at least one interval")
    total = 0.5 * gradient(features, loss_of, differentiable)
    for point in range(1, intervals):
        total = total + gradient(features * (point / intervals), loss_of, differentiable)
    if slope_at_zero is None:
        slope_at_zero = gradient(torch.zeros_like(features), loss_of, differentiable=False)
    return (total + 0.5 * slope_at_zero) / intervals * features


def importance(
    features: Tensor,
    loss_of: LossOf,
    intervals: int = 1,
    differentiable: bool = False,
    slope_at_zero: Tensor | None = None,
) -> Tensor:
    """Importance (N, C) of each channel of `features` (N, C, h, w)."""
    return per_channel(attributions(features, loss_of, intervals, differentiable, slope_at_zero))
