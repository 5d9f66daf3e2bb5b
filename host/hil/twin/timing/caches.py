"""Fetches and data accesses in Python: fallback and oracle. Keep in step with `native/caches.h`."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

from hil.twin.state import CoreState
from hil.twin.timing.state import (
    ART_LINES,
    BEAT_BYTES,
    D_SETS,
    D_WAYS,
    I_SETS,
    I_WAYS,
    LINE_BYTES,
    LINE_DIRTY,
    LINE_VALID,
    TimingState,
)

_WORD = 0xFFFF_FFFF


class Place(Enum):
    """What answers at an address, as the core's timing sees it."""

    FREE = auto()
    ART = auto()
    FLASH = auto()
    SRAM = auto()
    PERIPHERAL = auto()
    PRIVATE = auto()


def place_of(address: int) -> Place:
    """The place of an address (RM0385 table 1)."""
    if 0x2001_0000 <= address < 0x2005_0000:
        return Place.SRAM
    if 0x0800_0000 <= address < 0x2000_0000:
        return Place.FLASH
    if 0x0020_0000 <= address < 0x0030_0000:
        return Place.ART
    if address < 0x4000_0000:
        return Place.FREE
    return Place.PERIPHERAL if address < 0xE000_0000 else Place.PRIVATE


class Caches:
    """The L1 caches and the flash accelerator of one core."""

    def __init__(self, core: CoreState, timing: TimingState) -> None:
        self._core = core
        self._t = timing

    def fetch(self, address: int, size: int) -> None:
        """The instruction side runs through a block."""
        t, place = self._t, place_of(address)
        if place is Place.FREE:
            return
        end = address + size
        for line in range(address & ~(LINE_BYTES - 1), end, LINE_BYTES):
            if place is not Place.ART and not t.i_cache:
                self._fetch_uncached(line, max(line, address), min(line + LINE_BYTES, end), place)
            elif line == t.fetch_line:
                continue
            elif place is Place.ART:
                if not self._art_holds(line):
                    self._add_fetch(t.art_miss_ticks)
                t.art_line = line
            else:
                self._fetch_cached(line, place)
            t.fetch_line = line

    def access(self, address: int, size: int, write: bool) -> None:
        """One load or store."""
        t, place = self._t, place_of(address)
        t.accesses += 1
        if not write and size <= 4 and (address & 3) + size > 4:
            t.unaligned += 1
            self._add_data(t.unaligned_ticks)
        first = address & ~(LINE_BYTES - 1)
        match place:
            case Place.FREE:
                return
            case Place.PERIPHERAL:
                self._add_data(t.peripheral_write_ticks if write else t.peripheral_read_ticks)
            case Place.PRIVATE:
                self._add_data(0 if write else t.private_read_ticks)
            case Place.ART:
                self._add_data(0 if self._art_holds(first) else t.art_miss_ticks)
            case _ if not t.d_cache:
                self._uncached(address, size, place, write)
            case _:
                for line in range(first, address + size, LINE_BYTES):
                    self._cached(line, place, write)

    def _fetch_cached(self, line: int, place: Place) -> None:
        t = self._t
        first = line // LINE_BYTES % I_SETS * I_WAYS
        if line | LINE_VALID not in t.i_lines[first : first + I_WAYS]:
            t.i_lines[self._victim(t.i_lines, first, I_WAYS)] = line | LINE_VALID
            self._add_fetch(t.flash_fill_ticks if place is Place.FLASH else t.sram_fill_ticks)

    def _fetch_uncached(self, line: int, start: int, end: int, place: Place) -> None:
        """Beats of 64 bits; the flash keeps its last line of 256 bits open."""
        t = self._t
        beats = (end - 1) // BEAT_BYTES - start // BEAT_BYTES + 1
        if place is Place.SRAM:
            self._add_fetch(beats * t.sram_beat_ticks)
            return
        first = t.flash_beat_ticks if line == t.fetch_line else t.flash_fill_ticks
        self._add_fetch(first + (beats - 1) * t.flash_beat_ticks)

    def _cached(self, line: int, place: Place, write: bool) -> None:
        t = self._t
        first = line // LINE_BYTES % D_SETS * D_WAYS
        dirty = LINE_DIRTY if write else 0
        for way in range(first, first + D_WAYS):
            if t.d_lines[way] & ~LINE_DIRTY == line | LINE_VALID:
                t.d_lines[way] |= dirty
                return
        way = self._victim(t.d_lines, first, D_WAYS)
        ticks = 0
        if t.d_lines[way] & LINE_DIRTY:
            t.write_backs += 1
            ticks += t.write_back_ticks
        t.d_lines[way] = line | LINE_VALID | dirty
        if write:
            t.store_misses += 1
            ticks += t.store_miss_ticks
        else:
            t.load_misses += 1
            ticks += t.flash_fill_ticks if place is Place.FLASH else t.sram_fill_ticks
        self._add_data(ticks)

    def _uncached(self, address: int, size: int, place: Place, write: bool) -> None:
        t = self._t
        if write:
            return
        t.load_misses += 1
        line = address & ~(LINE_BYTES - 1)
        if place is Place.SRAM:
            self._add_data(t.sram_beat_ticks * ((size + 3) // 4))
        elif line != t.open_line:
            t.open_line = line
            self._add_data(t.flash_fill_ticks)
        else:
            self._add_data(t.flash_beat_ticks * ((size + 7) // 8))

    def _art_holds(self, line: int) -> bool:
        t = self._t
        if not t.art:
            return False
        slot = line // LINE_BYTES % ART_LINES
        held = t.art_lines[slot] == line | LINE_VALID
        held = held or bool(t.prefetch and line == t.art_line + LINE_BYTES)
        t.art_lines[slot] = line | LINE_VALID
        return held

    def _victim(self, lines: Any, first: int, ways: int) -> int:
        for way in range(first, first + ways):
            if not lines[way]:
                return way
        x = self._t.random
        x ^= x << 13 & _WORD
        x ^= x >> 17
        x ^= x << 5 & _WORD
        self._t.random = x
        return first + (x & (ways - 1))

    def _add_fetch(self, ticks: int) -> None:
        self._t.fetch_misses += 1
        self._t.fetch_ticks += ticks
        self._core.ticks += ticks

    def _add_data(self, ticks: int) -> None:
        self._t.data_ticks += ticks
        self._core.ticks += ticks
