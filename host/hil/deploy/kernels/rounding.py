"""What kernels that requantise by one instruction (mcu/kernels/hil_requantise.h) take for constants."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.deploy.graph import Weights


def is_single_rounding(weights: Weights) -> bool:
    """Whether all multipliers have shift 0, and can be doubled in 32 bits."""
    return not weights.shift.any() and bool((weights.multiplier < 1 << 30).all())


def doubled(weights: Weights) -> NDArray[np.int32]:
    """Twice the multipliers."""
    return weights.multiplier * 2


def folded_bias(weights: Weights, sums: NDArray[np.int64], zero_point: int) -> NDArray[np.int32]:
    """Biases for inputs that keep their zero point; `sums` (out) are those of each channel's weights.

    They wrap at 32 bits, as the device's sums do.
    """
    return (weights.bias.astype(np.int64) - zero_point * sums).astype(np.int32)
