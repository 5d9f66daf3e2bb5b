"""How far two attributions of the same samples say the same, channel by channel."""

from __future__ import annotations

import torch
from torch import Tensor

# A sample that the network is certain of has an importance of nearly zero.
_TINY = 1e-12


def shares(importance: Tensor) -> Tensor:
    """Importance (N, C) as shares of each sample's whole."""
    return importance / (importance.sum(dim=1, keepdim=True) + _TINY)


def rank_correlation(one: Tensor, other: Tensor) -> Tensor:
    """Spearman's coefficient (N,) of the channels' order in two importances (N, C); 0 where one has no order.

    Channels that tie share the mean of their places.
    """
    a, b = (places - places.mean(dim=1, keepdim=True) for places in (_places(one), _places(other)))
    scale = (a.square().sum(dim=1) * b.square().sum(dim=1)).sqrt()
    return torch.where(scale > 0, (a * b).sum(dim=1) / scale.clamp(min=_TINY), torch.zeros_like(scale))


def _places(importance: Tensor) -> Tensor:
    """(N, C) → each channel's place, from 1 for the least important."""
    from scipy.stats import rankdata

    return torch.from_numpy(rankdata(importance.detach().cpu().numpy(), axis=1))


def top_agreement(one: Tensor, other: Tensor, count: int) -> Tensor:
    """Share (N,) of the `count` most important channels of one importance (N, C) that are so in the other."""
    chosen = [
        torch.zeros_like(each, dtype=torch.bool).scatter_(1, each.topk(count, dim=1).indices, value=True)
        for each in (one, other)
    ]
    return (chosen[0] & chosen[1]).sum(dim=1) / count


def completeness_gap(attributions: Tensor, change: Tensor) -> Tensor:
    """By how much (N,) signed `attributions` (N, C, h, w) miss the `change` (N,) of the loss, as its share.

    Integrated gradients' own axiom says 0, which a finite number of intervals comes near.
    """
    return (attributions.flatten(1).sum(dim=1) - change).abs() / (change.abs() + _TINY)
