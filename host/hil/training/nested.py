"""Nested dropout (Rippel et al., ICML 2014): a server half that can answer from the first channels alone.

A sample keeps the channels before a random one and loses all others, so the first channels learn to
say most, and the server half to do without the last.
"""

from __future__ import annotations

import torch
from torch import Tensor

from hil.schemes.prefix import MISSING


def draw(samples: int, channels: int, whole_share: float) -> Tensor | None:
    """How many channels each sample keeps, (samples,) int64 on the CPU; None where all keep all.

    All `channels` with probability `whole_share`, else 0 to channels − 1 alike. Where nothing is to
    be lost nothing is drawn.
    """
    if whole_share == 1:
        return None
    whole = torch.rand(samples) < whole_share
    return torch.where(whole, channels, torch.randint(0, channels, (samples,)))


def keep(values: Tensor, complete: Tensor) -> Tensor:
    """`values` (N, C, h, w) with all but the first `complete` (N,) channels of each sample MISSING."""
    channels = torch.arange(values.shape[1], device=values.device)
    known = channels < complete.to(values.device)[:, None]
    return torch.where(known[:, :, None, None], values, MISSING)
