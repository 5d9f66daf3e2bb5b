"""Weights as the generated code reads them: pairs of halves, offsets in the biases, doubled multipliers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.deploy.graph import Convolution, DepthwiseConvolution, Tensor
from hil.deploy.kernels import rounding
from hil.deploy.kernels.front.match import reach


def pairs(values: NDArray[np.int8]) -> NDArray[np.uint32]:
    """(n, taps) → (n, ceil(taps / 2)) words: an even tap below, the odd one after it above."""
    count, taps = values.shape
    halves = np.zeros((count, taps + taps % 2), np.uint16)
    halves[:, :taps] = values.astype(np.int16).view(np.uint16)
    words: NDArray[np.uint32] = halves[:, 0::2] | halves[:, 1::2].astype(np.uint32) << 16
    return words


def folded_bias(source: Tensor, op: DepthwiseConvolution | Convolution) -> NDArray[np.int64]:
    """(channels,) bias less what the input's zero point adds; padding then has to hold the zero point.

    `match` has seen to it that nothing wraps.
    """
    axes = (0, 1) if isinstance(op, DepthwiseConvolution) else (1, 2, 3)
    sums = op.weights.values.astype(np.int64).sum(axis=axes)
    return rounding.folded_bias(op.weights, sums, source.zero_point).astype(np.int64)


def words(name: str, values: NDArray[np.uint32]) -> str:
    """A constant array of words, in hexadecimal."""
    numbers = [f"0x{int(value):08x}" for value in values.ravel()]
    rows = (", ".join(numbers[i : i + 8]) for i in range(0, len(numbers), 8))
    text = ",\n    ".join(rows)
    return f"static const uint32_t {name}[{len(numbers)}] = {{\n    {text},\n}};\n"


def thresholds(
    source: Tensor, output: Tensor, op: Convolution, symbol_of: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """(channels,) the least accumulator with another symbol than the lowest value has.

    Exact: requantisation grows with the accumulator, and so does the symbol with the value.
    """
    above = np.flatnonzero(symbol_of > symbol_of[0])
    ceiling = reach(source, op) + 1
    if not len(above):
        return ceiling
    value = int(above[0]) - 128
    numerator = ((value - output.zero_point) << 32) - (1 << 31)
    least = np.array(
        [-(-numerator // int(multiplier)) for multiplier in rounding.doubled(op.weights)], np.int64
    )
    return np.clip(least, -ceiling, ceiling)
