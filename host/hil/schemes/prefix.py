"""What a server half that was trained for it is given when only the first channels of a payload are there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MISSING = 0.0
"""Stands for every value of a channel that is not there: what ReLU6 gives where it saw nothing."""


def known(values: NDArray[np.float32], complete: int) -> NDArray[np.float32]:
    """`values` (channels, h, w) with all but the first `complete` channels MISSING, as a new array.

    `hil.training.nested.keep` is the same for batches in training. Source: nested dropout (Rippel
    et al., ICML 2014).
    """
    out = np.full_like(values, MISSING)
    out[:complete] = values[:complete]
    return out
