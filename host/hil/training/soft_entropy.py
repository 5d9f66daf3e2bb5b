"""What a payload will weigh, as a loss: the entropy of its symbols (Agustsson et al., NeurIPS 2017)."""

from __future__ import annotations

import torch
from torch import Tensor

_TINY = 1e-9


def soft_entropy(values: Tensor, centroids: Tensor, hardness: float) -> Tensor:
    """Mean entropy of a channel's symbols, a scalar in bits: what a coder with a table per channel pays.

    `values` are (N, channels, h, w), `centroids` (centroids,) in any order. Every value counts as
    softmax(−hardness·distance²) of each symbol, which is what can be descended.
    """
    by_channel = values.transpose(0, 1).flatten(1)
    distances = (by_channel[:, :, None] - centroids) ** 2
    shares = torch.softmax(-hardness * distances, dim=2).mean(dim=1)
    return -(shares * torch.log2(shares + _TINY)).sum(dim=1).mean()
