"""A static range coder with a table for every channel, bit for bit as mcu/codec/hil_range_encode.c.

The payload is a number between 0 and 1 in base 256. Encoder and decoder narrow an interval: `low` and
`range` are its last 32 bits, `range` is at least 2^24 before a symbol. A symbol with frequency f and
cumulative frequency c takes `range = (range >> 12) * f` from `low + (range >> 12) * c`; then full bytes
leave at the top. A carry runs back into bytes already written.

The end is the shortest number, of one or two bytes more, that stays in the interval whatever
follows it. So no payload begins another one, and any prefix decodes to the symbols that are certain.

Why this one: it encodes in the payload's order with four words of state and no memory, so the first
channels can leave while later ones are still computed, and costs two multiplications and no division.
rANS is as short but encodes backwards, from a payload that must be whole, and divides.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import cycle, islice

import numpy as np
from numpy.typing import NDArray

from hil.codec.frequencies import TOTAL
from hil.errors import CodecError
from hil.wire.protocol import RANGE_BITS

_BOTTOM = 1 << 24
_WORD = 0xFFFF_FFFF
_AHEAD = 4
"""Bytes that the decoder looks at together."""


def encoded_bytes_max(pixels: int, frequencies: NDArray[np.uint16]) -> int:
    """An upper bound of the encoded size: the least likely symbol everywhere.

    Each costs at most its ideal bits and what rounding `range` down to 2^24 / 2^12 steps loses; the
    end adds 9 bits at most.
    """
    ideal = RANGE_BITS - np.log2(frequencies.min(axis=1).astype(np.float64))
    lost = -math.log2(1 - TOTAL / _BOTTOM)
    return math.floor((pixels * float(np.sum(ideal + lost)) + 9) / 8 + 1e-6)


def encode(symbols: NDArray[np.uint8], frequencies: NDArray[np.uint16]) -> bytes:
    """Encodes `symbols` (runs, run length), each below the alphabet, by `frequencies`.

    Run r has the frequencies of channel r mod channels.
    """
    out = bytearray()
    low, span = 0, _WORD
    rows = [(row.tolist(), _starts(row)) for row in frequencies]
    for run, (sizes, starts) in zip(symbols, cycle(rows), strict=False):
        for symbol in run.tolist():
            step = span >> RANGE_BITS
            low += step * starts[symbol]
            span = step * sizes[symbol]
            if low > _WORD:
                low &= _WORD
                _carry(out)
            while span < _BOTTOM:
                out.append(low >> 24)
                low, span = (low << 8) & _WORD, span << 8
    size, up = _end(low, span)
    low += up
    if low > _WORD:
        low &= _WORD
        _carry(out)
    return bytes(out) + low.to_bytes(4, "big")[:size]


def decode(payload: bytes, wanted: int, length: int, frequencies: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The `wanted` symbols, in runs of `length`, of exactly one payload.

    Raises CodecError on any other content.
    """
    symbols, at, low, value = _read(payload, wanted, length, frequencies)
    if len(symbols) != wanted:
        raise CodecError(f"the payload ends after {len(symbols)} of {wanted} symbols")
    size, up = _end(*low)
    if value != up or len(payload) != at + size:
        raise CodecError(f"the payload does not end with its {wanted} symbols")
    return np.array(symbols, np.uint8)


def decode_prefix(payload: bytes, pixels: int, frequencies: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The channels (complete, pixels) that are certain whatever follows `payload`, whose runs are planes.

    Raises CodecError where no encoder's payload begins like this.
    """
    symbols = _read(payload, pixels * len(frequencies), pixels, frequencies)[0]
    complete = len(symbols) // pixels if pixels else 0
    return np.array(symbols[: complete * pixels], np.uint8).reshape(complete, pixels)


def _starts(row: NDArray[np.uint16]) -> list[int]:
    """Cumulative frequencies: of each symbol, the sum of all before it."""
    return [0, *np.cumsum(row, dtype=np.int64)[:-1].tolist()]


@lru_cache(maxsize=1024)
def _lookup(row: bytes) -> tuple[list[int], list[int], list[int]]:
    """Of one channel's frequencies: themselves, cumulated, and the symbol at each of the TOTAL + 1 places.

    -1 stands behind the last symbol.
    """
    sizes = np.frombuffer(row, np.uint16)
    return sizes.tolist(), _starts(sizes), [*np.repeat(np.arange(len(sizes)), sizes).tolist(), -1]


def _carry(out: bytearray) -> None:
    """Adds one to the number in `out`, which stays below 1: some byte is not 255."""
    at = len(out) - 1
    while out[at] == 0xFF:
        out[at] = 0
        at -= 1
    out[at] += 1


def _end(low: int, span: int) -> tuple[int, int]:
    """Bytes of the end, and how far above `low` it lies."""
    unit = 1 << 24
    up = -low & (unit - 1)
    if up + unit > span:
        unit >>= 8
        return 2, -low & (unit - 1)
    return 1, up


def _read(
    payload: bytes, wanted: int, length: int, frequencies: NDArray[np.uint16]
) -> tuple[list[int], int, tuple[int, int], int]:
    """Symbols that are certain; bytes that had left the encoder by then; (low, range); value above low.

    Behind the payload's end stand zeros; `unknown` is what any other bytes there could add. A symbol that is
    certain leaves a range above `unknown`, so `at` stays inside the payload. `value` never exceeds `span`,
    so `value // step` is TOTAL at most.
    """
    data = payload + bytes(_AHEAD)
    value, span, at = int.from_bytes(data[:_AHEAD], "big"), _WORD, 0
    unknown = (1 << 8 * max(0, _AHEAD - len(payload))) - 1
    symbols: list[int] = []
    rows = [_lookup(row.tobytes()) for row in frequencies]
    for sizes, starts, symbol_at in islice(cycle(rows), wanted // length if length else 0):
        for _ in range(length):
            step = span >> RANGE_BITS
            symbol = symbol_at[value // step]
            if unknown and symbol_at[min((value + unknown) // step, TOTAL)] != symbol:
                return symbols, at, (_low(data, at, value), span), value
            if symbol < 0:
                raise CodecError(f"the payload has no meaning from byte {at}")
            symbols.append(symbol)
            value -= step * starts[symbol]
            span = step * sizes[symbol]
            while span < _BOTTOM:
                value, span, at = (value << 8) + data[at + _AHEAD], span << 8, at + 1
                unknown = (1 << 8 * max(0, at + _AHEAD - len(payload))) - 1
    return symbols, at, (_low(data, at, value), span), value


def _low(data: bytes, at: int, value: int) -> int:
    """The encoder's `low`: what the four bytes at `at` hold beyond `value`."""
    return (int.from_bytes(data[at : at + _AHEAD], "big") - value) & _WORD
