"""A range coder whose tables follow from symbols already sent, bit for bit as mcu/codec/hil_context_encode.c.

Symbols go row by row, and in each row channel by channel. A row of one channel begins with a flag: all zero.
In a row that is not, every four symbols in contexts of 0 have a flag of their own: all zero.
What is left is coded symbol by symbol, by the frequencies of its context (`context_tables`). What is
mostly zero thus costs hardly a bit, and on the device hardly a cycle.

The interval is `low` and `range` as in `range_coder`, but `range` is at least 2^16 before a symbol and two
bytes leave at a time: half the branches that nobody can foresee, for 0.003 bits a symbol. The end is
the shortest number, of one to three bytes more, that stays in the interval whatever follows it.

A payload that the tables do not fit stays within bounds: while more bytes have left than even
frequencies would have made (`Budget`), rows that are not all zero are coded by those.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.codec import frequencies
from hil.codec.context_tables import (
    ContextTables,
    context_of,
    levels,
    quiet_groups,
    row_context,
    row_source,
    zero_groups,
)
from hil.codec.frequencies import TOTAL
from hil.errors import CodecError
from hil.wire.protocol import CONTEXT_LEFT, CONTEXT_LEVELS, RANGE_BITS

_BOTTOM = 1 << 16
_WORD = 0xFFFF_FFFF
_LOST = -math.log2(1 - TOTAL / _BOTTOM)
"""Bits that a symbol costs beyond its own, at most, as `range` is rounded down to 2^16 / 2^12 steps."""

Entry = tuple[int, int]
"""Cumulative frequency and frequency."""


@dataclass(frozen=True)
class Budget:
    """How many bytes may have left before a row: `first`, and `each` more for every row before it."""

    first: int
    each: int
    capacity: int
    """Bytes of the longest payload."""


def even_row(alphabet: int) -> NDArray[np.uint16]:
    """(alphabet,) frequencies that know nothing."""
    row: NDArray[np.uint16] = frequencies.normalise(np.zeros((1, alphabet), np.int64))[0]
    return row


def budget(rows: int, width: int, alphabet: int) -> Budget:
    """For `rows` rows of one channel each."""
    dearest = RANGE_BITS + _LOST
    row_max = math.ceil((1 + -(-width // 4) + width) * dearest / 8)
    even = RANGE_BITS - math.log2(int(even_row(alphabet).min())) + _LOST
    each = math.ceil((dearest + width * even) / 8)
    return Budget(row_max, each, row_max + rows * each + row_max + 6)


def words(tables: ContextTables, width: int) -> NDArray[np.uint32]:
    """What the device's encoder reads; its source says where everything lies."""
    alphabet = tables.contexts.shape[-1]
    limits, row_words = budget(0, width, alphabet), -(-width // 4)
    channels = []
    for channel, zeros in enumerate(tables.zeros):
        places = [
            name if name == CONTEXT_LEFT else name * row_words for name in tables.sources[channel].tolist()
        ]
        table = int(tables.table_of[channel]) * CONTEXT_LEVELS**2 * alphabet
        halves = [*places, row_source(tables.sources, channel), table, *zeros, 0]
        channels.append(np.array(halves, np.uint16))
    head = [limits.first | limits.each << 16, int(tables.shift[0]) | len(tables.contexts) << 16]
    return np.concatenate(
        [
            np.array(head, np.uint32),
            np.concatenate(channels).view("<u4").astype(np.uint32),
            _words(tables.contexts).transpose(0, 2, 1).reshape(-1),
            _words(even_row(alphabet)),
        ]
    )


def _words(rows: NDArray[np.uint16]) -> NDArray[np.uint32]:
    """Cumulative frequency in the upper half of a word, frequency in the lower."""
    sizes = rows.astype(np.uint32)
    starts = np.cumsum(sizes, axis=-1, dtype=np.uint32) - sizes
    return (starts << 16 | sizes).astype(np.uint32)


class Interval:
    """The encoder's state, and the bytes that have left."""

    def __init__(self) -> None:
        self.out = bytearray()
        self._low, self._span = 0, _WORD

    def put(self, entries: list[Entry]) -> None:
        """Narrows the interval by one symbol after the other."""
        low, span = self._low, self._span
        for start, size in entries:
            step = span >> RANGE_BITS
            low += step * start
            span = step * size
            if span < _BOTTOM:
                if low > _WORD:
                    self._carry()
                self.out += (low >> 16 & 0xFFFF).to_bytes(2, "big")
                low, span = low << 16 & _WORD, span << 16
        self._low, self._span = low, span

    def finish(self) -> bytes:
        """The whole payload."""
        size, up = _end(self._low & _WORD, self._span)
        low = self._low + up
        if low > _WORD:
            self._carry()
        return bytes(self.out) + (low & _WORD).to_bytes(4, "big")[:size]

    def _carry(self) -> None:
        """Adds one to the number in `out`, which stays below 1: some byte is not 255."""
        at = len(self.out) - 1
        while self.out[at] == 0xFF:
            self.out[at] = 0
            at -= 1
        self.out[at] += 1


def encode(planes: NDArray[np.uint8], tables: ContextTables) -> bytes:
    """Encodes `planes` (channels, height, width), each symbol below the alphabet."""
    channels, height, width = planes.shape
    alphabet = tables.contexts.shape[-1]
    limits = budget(channels * height, width, alphabet)
    even = _entries(even_row(alphabet))
    coded = [_rows_of(planes, channel, tables) for channel in range(channels)]
    interval, allowed = Interval(), limits.first
    for y in range(height):
        for channel in range(channels):
            row = coded[channel][y]
            if len(row) > 1 and len(interval.out) > allowed:
                row = [row[0], *(even[symbol] for symbol in planes[channel, y].tolist())]
            interval.put(row)
            allowed += limits.each
    return interval.finish()


def decode(payload: bytes, shape: tuple[int, int, int], tables: ContextTables) -> NDArray[np.uint8]:
    """The symbols (channels, height, width) of exactly one payload.

    Raises CodecError on any other content.
    """
    channels, height, width = shape
    alphabet = tables.contexts.shape[-1]
    limits = budget(channels * height, width, alphabet)
    reader = _Reader(payload)
    lookups = [[_Lookup(row) for row in table] for table in tables.contexts]
    of_channel = [_Channel(channel, tables, lookups) for channel in range(channels)]
    even = _Lookup(even_row(alphabet))
    seen = [[0] * width] * channels
    """The symbols that a context sees of each channel's latest row."""
    live = [False] * channels
    planes = np.zeros(shape, np.uint8)
    allowed = limits.first
    for y in range(height):
        for channel, about in enumerate(of_channel):
            row = _read_row(reader, about, seen, live, even if reader.at > allowed else None)
            allowed += limits.each
            live[channel] = any(row)
            if live[channel]:
                planes[channel, y] = row
            seen[channel] = [about.level[symbol] for symbol in row]
    reader.finish()
    return planes


def _rows_of(planes: NDArray[np.uint8], channel: int, tables: ContextTables) -> list[list[Entry]]:
    """What each row of one channel is coded as, while the budget lasts."""
    own, sources, shift = planes[channel], tables.sources, int(tables.shift[0])
    height, width = own.shape
    zero, quiet = zero_groups(own), quiet_groups(planes, channel, sources, shift)
    live = own.any(axis=1)
    above = np.concatenate([[False], live[:-1]])
    beside = row_source(sources, channel)
    other = above if beside == channel else planes[beside].any(axis=1)
    sizes = tables.contexts[tables.table_of[channel]].astype(np.int64)
    starts = np.cumsum(sizes, axis=1) - sizes
    context = context_of(planes, channel, sources, shift)
    # A slot for each group's flag and its four symbols; those that are not coded are left out at last.
    groups = zero.shape[1]
    slots = np.zeros((height, groups, 5, 2), np.int64)
    used = np.zeros((height, groups, 5), np.bool_)
    rare = int(tables.zeros[channel, 4])
    slots[:, :, 0] = np.where(zero[..., None], [0, rare], [rare, TOTAL - rare])
    used[:, :, 0] = quiet
    padded = np.zeros((2, height, 4 * groups), np.int64)
    padded[0, :, :width], padded[1, :, :width] = starts[context, own], sizes[context, own]
    slots[:, :, 1:] = padded.reshape(2, height, groups, 4).transpose(1, 2, 3, 0)
    used[:, :, 1:] = (~(zero & quiet))[..., None]
    used.reshape(height, -1, 5)[:, -1, 1 + width - 4 * (groups - 1) :] = False
    coded: list[list[Entry]] = []
    for y in range(height):
        size = int(tables.zeros[channel, row_context(bool(above[y]), bool(other[y]))])
        flag = (size, TOTAL - size) if live[y] else (0, size)
        coded.append([flag, *map(tuple, slots[y][used[y]].tolist())] if live[y] else [flag])
    return coded


def _entries(row: NDArray[np.uint16]) -> list[Entry]:
    sizes = row.astype(np.int64)
    return list(zip((np.cumsum(sizes) - sizes).tolist(), sizes.tolist(), strict=True))


def _end(low: int, span: int) -> tuple[int, int]:
    """Bytes of the end, and how far above `low` it lies."""
    for size in (1, 2):
        unit = 1 << 32 - 8 * size
        if (-low & (unit - 1)) + unit <= span:
            return size, -low & (unit - 1)
    return 3, -low & 0xFF


class _Lookup:
    """A row of frequencies for decoding."""

    def __init__(self, row: NDArray[np.uint16]) -> None:
        self.entries = _entries(row)
        self.symbol_at: list[int] = np.repeat(np.arange(len(row)), row).tolist()


class _Channel:
    """What a decoder asks of the tables for one channel."""

    def __init__(self, channel: int, tables: ContextTables, lookups: list[list[_Lookup]]) -> None:
        self.first, self.second = map(int, tables.sources[channel])
        self.own = channel
        self.beside = row_source(tables.sources, channel)
        *self.row_zeros, self.quiet_zeros = map(int, tables.zeros[channel])
        self.lookups = lookups[tables.table_of[channel]]
        symbols = np.arange(tables.contexts.shape[-1], dtype=np.uint8)
        self.level: list[int] = levels(symbols, int(tables.shift[0])).tolist()


class _Reader:
    """The decoder's interval: `value` is how far the payload's number lies above its lower end."""

    def __init__(self, payload: bytes) -> None:
        self._payload, self._data = payload, payload + bytes(4)
        self._value, self._span = int.from_bytes(self._data[:4], "big"), _WORD
        self.at = 0

    def zero(self, size: int) -> bool:
        """Whether a flag that is set `size` times in 2^RANGE_BITS is."""
        step = self._span >> RANGE_BITS
        if self._value < step * size:
            self._narrow(step, 0, size)
            return True
        self._narrow(step, size, TOTAL - size)
        return False

    def take(self, lookup: _Lookup) -> int:
        """The next symbol."""
        step = self._span >> RANGE_BITS
        place = self._value // step
        if place >= TOTAL:
            raise CodecError(f"the payload has no meaning from byte {self.at}")
        symbol = lookup.symbol_at[place]
        self._narrow(step, *lookup.entries[symbol])
        return symbol

    def finish(self) -> None:
        """Raises CodecError unless the payload ends as its encoder's would."""
        if self.at <= len(self._payload):
            low = int.from_bytes(self._data[self.at : self.at + 4].ljust(4, b"\0"), "big") - self._value
            size, up = _end(low & _WORD, self._span)
            if self._value == up and len(self._payload) == self.at + size:
                return
        raise CodecError("the payload does not end with its symbols")

    def _narrow(self, step: int, start: int, size: int) -> None:
        self._value -= step * start
        self._span = step * size
        if self._value >= self._span:
            raise CodecError(f"the payload has no meaning from byte {self.at}")
        if self._span < _BOTTOM:
            if self.at > len(self._payload):
                raise CodecError("the payload ends before its symbols")
            following = int.from_bytes(self._data[self.at + 4 : self.at + 6].ljust(2, b"\0"), "big")
            self._value, self._span = self._value << 16 | following, self._span << 16
            self.at += 2


def _read_row(
    reader: _Reader, about: _Channel, seen: list[list[int]], live: list[bool], even: _Lookup | None
) -> list[int]:
    """One row of one channel, by `even` where it is given.

    Raises CodecError where an encoder would have set a flag.
    """
    width = len(seen[about.own])
    if reader.zero(about.row_zeros[row_context(live[about.own], live[about.beside])]):
        return [0] * width
    row = _read_live(reader, about, seen) if even is None else [reader.take(even) for _ in range(width)]
    if not any(row):
        raise CodecError("a row of zeros that should have been one flag")
    return row


def _read_live(reader: _Reader, about: _Channel, seen: list[list[int]]) -> list[int]:
    """The symbols of a row that is not all zero."""
    width = len(seen[about.own])
    row: list[int] = []
    left = about.second == CONTEXT_LEFT
    first, second = seen[about.first], seen[about.own if left else about.second]
    before = 0
    for begin in range(0, width, 4):
        end = min(begin + 4, width)
        quiet = not any(first[begin:end]) and not (before if left else any(second[begin:end]))
        if quiet and reader.zero(about.quiet_zeros):
            row += [0] * (end - begin)
            before = 0
            continue
        for x in range(begin, end):
            context = first[x] * CONTEXT_LEVELS + (before if left else second[x])
            symbol = reader.take(about.lookups[context])
            row.append(symbol)
            before = about.level[symbol]
        if quiet and not any(row[begin:]):
            raise CodecError("four zeros that should have been one flag")
    return row
