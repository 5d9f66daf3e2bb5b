"""Bit shuffle of bytes, block by block, bit for bit as mcu/codec/hil_shuffle.c.

A block's bit 0 of all symbols comes first, then bit 1 of all, and so on: planes that hardly change
compress well where bytes do not. Bit j of a plane's byte i belongs to symbol 8 i + j. What does not
fill eight symbols at the end of the last block stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hil.wire.protocol import SHUFFLE_BLOCK

Change = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


def shuffle(symbols: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(symbols,) → as many bytes."""
    return _by_block(symbols, _to_planes)


def unshuffle(planes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The way back."""
    return _by_block(planes, _from_planes)


def _to_planes(block: NDArray[np.uint8]) -> NDArray[np.uint8]:
    bits = np.unpackbits(block[:, None], axis=1, bitorder="little")
    return np.packbits(bits.T, axis=1, bitorder="little").reshape(-1)


def _from_planes(block: NDArray[np.uint8]) -> NDArray[np.uint8]:
    bits = np.unpackbits(block.reshape(8, -1), axis=1, bitorder="little")
    return np.packbits(bits.T, axis=1, bitorder="little").reshape(-1)


def _by_block(data: NDArray[np.uint8], change: Change) -> NDArray[np.uint8]:
    out = data.copy()
    for begin in range(0, len(data), SHUFFLE_BLOCK):
        end = min(begin + SHUFFLE_BLOCK, len(data) - len(data) % 8)
        if end > begin:
            out[begin:end] = change(data[begin:end])
    return out
