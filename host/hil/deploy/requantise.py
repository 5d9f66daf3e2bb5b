"""Fixed-point requantisation, bit for bit as TFLite's double rounding and CMSIS-NN's arm_nn_requantize."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_SIXTEEN_BITS = 1 << 15


def quantise_multiplier(real: float) -> tuple[int, int]:
    """`real` ≥ 0 as (multiplier, shift): real ≈ multiplier · 2^(shift − 31), multiplier in [2^30, 2^31).

    Ratios too small for a shift of −31 become zero, as in TFLite's QuantizeMultiplier.
    """
    if real == 0.0:
        return 0, 0
    mantissa, shift = math.frexp(real)
    multiplier = round(mantissa * (1 << 31))
    if multiplier == 1 << 31:
        multiplier, shift = multiplier // 2, shift + 1
    return (multiplier, shift) if shift >= -31 else (0, 0)


def single_rounding(real: float) -> tuple[int, int]:
    """`real` ≥ 0 as a multiplier with shift 0 where that is exact enough, else as `quantise_multiplier`.

    Without a shift the second rounding has nothing to round, and `requantise` is one rounding multiply,
    (accumulator · multiplier + 2^30) >> 31: SMMLAR on the Cortex-M7. The multiplier is not normalised; with
    16 bits or more its error stays below 2^-16 of the output.
    """
    multiplier = round(real * (1 << 31))
    if _SIXTEEN_BITS <= multiplier < 1 << 31:
        return multiplier, 0
    return quantise_multiplier(real)


def requantise(
    accumulator: NDArray[np.int64], multiplier: NDArray[np.int64] | int, shift: NDArray[np.int64] | int
) -> NDArray[np.int64]:
    """accumulator · multiplier · 2^(shift − 31), rounded as the device rounds.

    First a rounding doubling high multiply (ties up), then a rounding right shift (ties away from
    zero). The left shift wraps at 32 bits, as on the device. All int64 in and out, any shape;
    `multiplier` and `shift` broadcast along the last axis.
    """
    left = np.maximum(shift, 0)
    right = np.maximum(-np.asarray(shift, dtype=np.int64), 0)
    high = (accumulator << left).astype(np.int32).astype(np.int64)
    high *= multiplier
    high += 1 << 30
    high >>= 31
    # Half up, but half down below zero; where nothing is shifted there is no half.
    half = (np.int64(1) << right) >> 1
    half_below = half - (right > 0)
    high += np.where(high < 0, half_below, half)
    high >>= right
    return high
