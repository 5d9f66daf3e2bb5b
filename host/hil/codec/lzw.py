"""LZW over a small alphabet, as the paper's lossless stage (AgileNN §4), bit for bit as mcu/codec/hil_lzw.c.

Codes are packed least significant bit first. The table starts with the alphabet, gains one entry
after every code but the first one's predecessor, and freezes at `LZW_ENTRIES`. The i-th code
(from 0) is `max(1, bit_length(min(alphabet + i, LZW_ENTRIES) - 1))` bits wide: just enough for
any code that the encoder can know by then, so no clear or end codes are needed. The number of
symbols is known to both sides.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hil.errors import CodecError
from hil.wire.protocol import LZW_ENTRIES


def code_width(alphabet: int, index: int) -> int:
    """Bits of the `index`-th code."""
    return max(1, (min(alphabet + index, LZW_ENTRIES) - 1).bit_length())


def encoded_bytes_max(symbols: int, alphabet: int) -> int:
    """An upper bound of the encoded size: one code for every symbol."""
    bits = sum(code_width(alphabet, index) for index in range(min(symbols, LZW_ENTRIES)))
    bits += max(0, symbols - LZW_ENTRIES) * code_width(alphabet, LZW_ENTRIES)
    return (bits + 7) // 8


def encode(symbols: NDArray[np.uint8], alphabet: int) -> bytes:
    """Encodes `symbols` (1-D uint8, each below `alphabet`). Raises CodecError on a foreign symbol."""
    if not 2 <= alphabet <= 256:
        raise CodecError(f"an alphabet of {alphabet} symbols", "LZW takes 2 to 256")
    if symbols.size and int(symbols.max()) >= alphabet:
        raise CodecError(f"symbol {int(symbols.max())} is outside an alphabet of {alphabet}")
    table: dict[tuple[int, int], int] = {}
    bits = used = emitted = 0
    prefix = -1

    def emit(code: int) -> None:
        nonlocal bits, used, emitted
        bits |= code << used
        used += code_width(alphabet, emitted)
        emitted += 1

    for symbol in symbols.tolist():
        if prefix < 0:
            prefix = symbol
        elif (known := table.get((prefix, symbol))) is not None:
            prefix = known
        else:
            emit(prefix)
            if alphabet + len(table) < LZW_ENTRIES:
                table[prefix, symbol] = alphabet + len(table)
            prefix = symbol
    if prefix >= 0:
        emit(prefix)
    return bits.to_bytes((used + 7) // 8, "little")


def decode(data: bytes, symbols: int, alphabet: int) -> NDArray[np.uint8]:
    """The `symbols` symbols in `data`, as uint8 (symbols,). Raises CodecError on any other content."""
    codes, ends = _codes(data, symbols, alphabet)
    out = bytearray()
    starts: list[int] = []
    for index, code in enumerate(codes.tolist()):
        at = len(out)
        if at >= symbols:
            break
        starts.append(at)
        if code < alphabet:
            out.append(code)
            continue
        # An entry is a former phrase and the symbol behind it, so all of it stands in `out` already.
        entry = code - alphabet
        if entry >= index:
            raise CodecError(f"the payload holds the impossible code {code}")
        begin, end = starts[entry], starts[entry + 1] + 1
        out += out[begin:end]
        if end > at:
            out.append(out[begin])
    if len(out) < symbols:
        raise CodecError(f"the payload ends after {len(out)} of {symbols} symbols")
    used = int(ends[len(starts) - 1]) if starts else 0
    spare = data[-1] >> (used % 8) if used % 8 else 0
    if len(out) != symbols or (used + 7) // 8 != len(data) or spare:
        raise CodecError(f"the payload does not end with its {symbols} symbols")
    return np.frombuffer(bytes(out), dtype=np.uint8)


def _codes(data: bytes, symbols: int, alphabet: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The codes that lie whole in `data`, of `symbols` at most, and where each ends, in bits.

    Their widths are known beforehand, so all are read at once.
    """
    widths, ends = _layout(alphabet, symbols)
    count = int(np.searchsorted(ends, 8 * len(data), side="right"))
    widths, ends = widths[:count], ends[:count]
    begins = ends - widths
    held = np.frombuffer(data + bytes(2), np.uint8).astype(np.int64)
    at = begins >> 3
    words = held[at] | held[at + 1] << 8 | held[at + 2] << 16
    return words >> (begins & 7) & (1 << widths) - 1, ends


@lru_cache(maxsize=16)
def _layout(alphabet: int, symbols: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Widths and ends, in bits, of the longest row of codes that `symbols` can need."""
    grown = np.minimum(alphabet + np.arange(symbols, dtype=np.int64), LZW_ENTRIES) - 1
    bits = np.ceil(np.log2(np.maximum(grown, 1) + 1)).astype(np.int64)
    widths = np.maximum(1, bits)
    return widths, np.cumsum(widths)
