"""From training statistics to the range coder's table: `codec.frequencies`.

A row a channel, a column a symbol, uint16. Every row sums to 2^RANGE_BITS and no entry is 0, so that
any payload can be encoded, however unlike the training data it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.errors import CodecError
from hil.wire.protocol import RANGE_BITS

TOTAL = 1 << RANGE_BITS


def count(payloads: NDArray[np.uint8], channels: int, alphabet: int) -> NDArray[np.int64]:
    """(payloads, channels · pixels) → how often each symbol occurs in each channel, (channels, alphabet).

    Raises CodecError on a symbol outside the alphabet, or payloads that are not whole channels.
    """
    if payloads.size and int(payloads.max()) >= alphabet:
        raise CodecError(f"symbol {int(payloads.max())} is outside an alphabet of {alphabet}")
    if payloads.ndim != 2 or payloads.shape[1] % channels:
        raise CodecError(f"payloads of shape {payloads.shape} have no {channels} equal channels")
    planes = payloads.reshape(len(payloads), channels, -1).transpose(1, 0, 2).reshape(channels, -1)
    return np.stack([np.bincount(plane, minlength=alphabet) for plane in planes]).astype(np.int64)


def normalise(counts: NDArray[np.int64]) -> NDArray[np.uint16]:
    """Counts (channels, alphabet) → frequencies (channels, alphabet), every row 2^RANGE_BITS.

    A channel that was never seen gets an even row. Raises CodecError on negative counts or an
    alphabet of other than 1 to 256 symbols.
    """
    if counts.ndim != 2 or not 1 <= counts.shape[1] <= 256 or (counts.size and counts.min() < 0):
        raise CodecError(f"counts of shape {counts.shape} are no statistics of up to 256 symbols")
    different, which = np.unique(counts, axis=0, return_inverse=True)
    return np.array([_row(row) for row in different], np.uint16)[which.reshape(-1)]


def ideal_bits(symbols: NDArray[np.uint8], frequencies: NDArray[np.uint16]) -> float:
    """What `symbols` (channels, pixels) carry if every one were drawn as its channel's row says."""
    chosen = np.take_along_axis(frequencies.astype(np.float64), symbols.astype(np.intp), axis=1)
    return float(np.sum(RANGE_BITS - np.log2(chosen)))


def _row(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """In proportion, at least 1; then one by one to where it saves most bits from where it costs fewest.

    Bits saved fall with every unit given, so the end is the shortest code that a row can make.
    """
    if not counts.any():
        counts = np.ones_like(counts)
    row: NDArray[np.int64] = np.maximum(1, np.floor(counts * (TOTAL / counts.sum()))).astype(np.int64)
    least = 1e-9 * float(counts.sum())
    while True:
        gain = counts * np.log2((row + 1) / row)
        loss = np.where(row > 1, counts * np.log2(row / np.maximum(1, row - 1)), np.inf)
        taker, giver, missing = np.argmax(gain), np.argmin(loss), TOTAL - row.sum()
        if missing == 0 and gain[taker] - loss[giver] <= least:
            return row
        row[taker] += missing >= 0
        row[giver] -= missing <= 0
