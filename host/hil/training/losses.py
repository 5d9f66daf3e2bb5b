"""AgileNN's losses on feature importance (MobiCom 2022; facts, "Training", R)."""

from __future__ import annotations

import torch
from torch import Tensor

# A sample that the network is certain of has a loss, and an importance, of nearly zero.
_TINY = 1e-12


def skewness(importance: Tensor, local: int) -> Tensor:
    """Share (N,) of each sample's `importance` (N, C) that the first `local` channels hold."""
    return importance[:, :local].sum(dim=1) / (importance.sum(dim=1) + _TINY)


def disorder(importance: Tensor, local: int) -> Tensor:
    """By how much (N,) the most important remote channel outranks the least important local one.

    As a share of the sample's whole importance; 0 where the order is right.
    """
    gap = importance[:, local:].amax(dim=1) - importance[:, :local].amin(dim=1)
    return torch.relu(gap / (importance.sum(dim=1) + _TINY))


def skewness_loss(importance: Tensor, local: int, rho: float) -> Tensor:
    """Mean shortfall (scalar) of the skewness below `rho`.

    The top k are the first k: with the disorder loss both readings of the paper meet, and this one
    pulls in the right direction from the first step.
    """
    return torch.relu(rho - skewness(importance, local)).mean()


def disorder_loss(importance: Tensor, local: int) -> Tensor:
    """Mean disorder (scalar)."""
    return disorder(importance, local).mean()


def attribution_loss(importance: Tensor, local: int, rho: float) -> Tensor:
    """Skewness and disorder together, a scalar."""
    return skewness_loss(importance, local, rho) + disorder_loss(importance, local)


def total_loss(
    task: Tensor, importance: Tensor, local: int, rho: float, lambda_: float, every: int = 1
) -> Tensor:
    """λ·task + (1 − λ)·every·(skewness + disorder), a scalar; `every` steps share this step's attribution."""
    return lambda_ * task + (1 - lambda_) * every * attribution_loss(importance, local, rho)
