"""Static canonical Huffman with a code for every channel, bit for bit as mcu/codec/hil_huffman_encode.c.

A code is its lengths (`codec.lengths`, uint8, a row a channel): codes of one length count up in the order
of their symbols, shorter ones first (RFC 1951, 3.2.2). They are packed most significant bit first; the
last byte is filled with zeros. Every symbol has a code, of 1 to HUFFMAN_LENGTH_MAX bits.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import cycle, islice

import numpy as np
from numpy.typing import NDArray

from hil.errors import CodecError
from hil.wire.protocol import HUFFMAN_LENGTH_MAX

_Package = tuple[int, list[int]]


def lengths(counts: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The best lengths for counts (channels, alphabet), none above HUFFMAN_LENGTH_MAX.

    Raises CodecError on negative counts or an alphabet of other than 1 to 256 symbols.
    """
    if counts.ndim != 2 or not 1 <= counts.shape[1] <= 256 or (counts.size and counts.min() < 0):
        raise CodecError(f"counts of shape {counts.shape} are no statistics of up to 256 symbols")
    return np.array([_row_lengths(row) for row in counts.tolist()], np.uint8)


def is_complete(row: NDArray[np.uint8]) -> bool:
    """Whether the lengths make a code without gaps; the one code of one symbol is `0`."""
    if len(row) == 1:
        return int(row[0]) == 1
    if row.min() < 1 or row.max() > HUFFMAN_LENGTH_MAX:
        return False
    return int(np.sum(1 << (HUFFMAN_LENGTH_MAX - row.astype(np.int64)))) == 1 << HUFFMAN_LENGTH_MAX


def codes(row: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """The canonical codes of one channel's lengths."""
    found = np.zeros(len(row), np.uint32)
    code, length = 0, 0
    for symbol in np.lexsort((np.arange(len(row)), row)).tolist():
        code <<= int(row[symbol]) - length
        length = int(row[symbol])
        found[symbol] = code
        code += 1
    return found


def encoded_bytes_max(pixels: int, table: NDArray[np.uint8]) -> int:
    """The encoded size when every symbol is a longest one."""
    return (pixels * int(table.max(axis=1).astype(np.int64).sum()) + 7) // 8


def encode(symbols: NDArray[np.uint8], table: NDArray[np.uint8]) -> bytes:
    """Encodes `symbols` (runs, run length), each below the alphabet, by lengths (channels, alphabet).

    Run r has the codes of channel r mod channels.
    """
    channel = (np.arange(len(symbols)) % len(table))[:, None]
    code = np.stack([codes(row) for row in table])[channel, symbols].reshape(-1)
    length = table[channel, symbols].reshape(-1).astype(np.int64)
    ends = np.cumsum(length)
    below = np.repeat(ends, length) - 1 - np.arange(length.sum())
    return np.packbits((np.repeat(code, length) >> below & 1).astype(np.uint8)).tobytes()


def decode(payload: bytes, wanted: int, length: int, table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The `wanted` symbols, in runs of `length`, of exactly one payload.

    Raises CodecError on any other content.
    """
    symbols, used = _read(payload, wanted, length, table)
    if len(symbols) != wanted:
        raise CodecError(f"the payload ends after {len(symbols)} of {wanted} symbols")
    if (used + 7) // 8 != len(payload) or (used % 8 and payload[-1] & (0xFF >> used % 8)):
        raise CodecError(f"the payload does not end with its {wanted} symbols")
    return np.array(symbols, np.uint8)


def decode_prefix(payload: bytes, pixels: int, table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The channels (complete, pixels) that `payload`, whose runs are planes, holds whole.

    Raises CodecError where no encoder's payload begins like this.
    """
    symbols, _ = _read(payload, pixels * len(table), pixels, table)
    complete = len(symbols) // pixels if pixels else 0
    return np.array(symbols[: complete * pixels], np.uint8).reshape(complete, pixels)


def _read(payload: bytes, wanted: int, length: int, table: NDArray[np.uint8]) -> tuple[list[int], int]:
    """The symbols that lie whole in `payload`, and the bits that they take."""
    windows = _windows(payload)
    symbols: list[int] = []
    at, end = 0, 8 * len(payload)
    rows = [(_lookup(row.tobytes()), HUFFMAN_LENGTH_MAX - int(row.max())) for row in table]
    for (symbol_at, bits_at), unused in islice(cycle(rows), wanted // length if length else 0):
        for _ in range(length):
            window = windows[at] >> unused
            bits = bits_at[window]
            if at + bits > end:
                return symbols, at
            if bits == 0:
                raise CodecError(f"the payload has no meaning from bit {at}")
            symbols.append(symbol_at[window])
            at += bits
    return symbols, at


def _windows(payload: bytes) -> list[int]:
    """The HUFFMAN_LENGTH_MAX bits from every bit on, the end included; zeros behind it."""
    data = np.frombuffer(payload + bytes(3), np.uint8).astype(np.uint32)
    words = data[:-2] << 16 | data[1:-1] << 8 | data[2:]
    shifts = 24 - HUFFMAN_LENGTH_MAX - np.arange(8, dtype=np.uint32)
    windows = words[:, None] >> shifts & np.uint32((1 << HUFFMAN_LENGTH_MAX) - 1)
    found: list[int] = windows.reshape(-1).tolist()
    return found


@lru_cache(maxsize=64)
def _lookup(lengths_of_row: bytes) -> tuple[list[int], list[int]]:
    """Symbol and length for every window as wide as the longest code; length 0 where no code begins so."""
    row = np.frombuffer(lengths_of_row, np.uint8)
    order = np.lexsort((np.arange(len(row)), row))
    shares = 1 << (row.max() - row[order].astype(np.int64))
    rest = (1 << int(row.max())) - int(shares.sum())
    return (
        [*np.repeat(order, shares).tolist(), *[0] * rest],
        [*np.repeat(row[order], shares).tolist(), *[0] * rest],
    )


def _row_lengths(counts: list[int]) -> list[int]:
    """Package-merge (Larmore and Hirschberg 1990): a symbol's length is how many chosen packages hold it."""
    if len(counts) == 1:
        return [1]
    leaves: list[_Package] = sorted((max(0, count), [symbol]) for symbol, count in enumerate(counts))
    packages: list[_Package] = []
    for _ in range(HUFFMAN_LENGTH_MAX):
        merged = sorted(leaves + packages, key=lambda package: package[0])
        packages = [
            (merged[i][0] + merged[i + 1][0], merged[i][1] + merged[i + 1][1])
            for i in range(0, len(merged) - 1, 2)
        ]
    found = [0] * len(counts)
    for _, symbols in packages[: len(counts) - 1]:
        for symbol in symbols:
            found[symbol] += 1
    return found
