"""The cells of the flash: sectors, what erasing and programming do to bits, what a lost supply leaves."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from hil.twin.memory import FLASH_BASE, KIB, Memory

ERASED_WORD = 0xFFFF_FFFF
SECTOR_BYTES = (*[32 * KIB] * 4, 128 * KIB, *[256 * KIB] * 3)
SECTOR_STARTS = tuple(accumulate(SECTOR_BYTES, initial=FLASH_BASE))[:-1]
"""RM0385 table 3."""


def sector_of(address: int) -> int:
    """The number of the sector that holds `address` on the AXI port."""
    return sum(start <= address for start in SECTOR_STARTS) - 1


@dataclass(frozen=True)
class Change:
    """A change of cells that takes time: complete in memory, undone in part when it is cut short."""

    address: int
    old: bytes
    erases: bool


@dataclass(frozen=True)
class Rewritten:
    """Addresses from `start` up to `end`; what `was_erased` can hardly have been executed."""

    start: int
    end: int
    was_erased: bool


class FlashArray:
    """Cells that programming can only clear and erasing can only set, by the sector.

    `seed` decides what an interrupted operation leaves behind: the same every time.
    """

    def __init__(self, memory: Memory, seed: int = 0) -> None:
        self._memory = memory
        self._random = random.Random(seed)
        self.on_program: Callable[[int], None] = lambda size: None
        """Told how many bytes each programming operation stores, before it begins."""
        self.rewritten: list[Rewritten] = []
        """What changed since whoever keeps translated code emptied this list."""

    def erase(self, address: int, size: int) -> Change:
        """All bits of the range become ones."""
        change = Change(address, self._memory.read(address, size), True)
        self._store(change, b"\xff" * size)
        return change

    def program(self, address: int, data: bytes) -> Change:
        """Bits that are zero in `data` become zero."""
        self.on_program(len(data))
        change = Change(address, self._memory.read(address, len(data)), False)
        self._store(change, bytes(a & b for a, b in zip(change.old, data, strict=True)))
        return change

    def interrupt(self, change: Change) -> None:
        """The supply or a reset ended `change` half-way."""
        new = self._memory.read(change.address, len(change.old))
        left = self._half_erased(change.old) if change.erases else self._half_programmed(change.old, new)
        self._store(Change(change.address, new, change.erases), left)

    def _store(self, change: Change, data: bytes) -> None:
        self._memory.write(change.address, data)
        part = Rewritten(change.address, change.address + len(data), change.old == b"\xff" * len(data))
        last = self.rewritten[-1] if self.rewritten else None
        if last is not None and last.end == part.start and last.was_erased == part.was_erased:
            self.rewritten[-1] = Rewritten(last.start, part.end, part.was_erased)
        else:
            self.rewritten.append(part)

    def _half_programmed(self, old: bytes, new: bytes) -> bytes:
        """Some of the bits that had to fall fell."""
        fell = self._random.randbytes(len(old))
        return bytes(a & (b | ~mask & 0xFF) for a, b, mask in zip(old, new, fell, strict=True))

    def _half_erased(self, old: bytes) -> bytes:
        """A third of the words as before, a third erased, a third neither.

        Erasing clears all bits before it sets them, so what is neither can be anything.
        """
        words = np.frombuffer(old, "<u4")
        noise = np.frombuffer(self._random.randbytes(len(old)), "<u4")
        fate = np.frombuffer(self._random.randbytes(len(words)), np.uint8) % 3
        neither = np.where((noise == words) | (noise == ERASED_WORD), ~words & 0x5A5A_5A5A, noise)
        left = np.where(fate == 0, words, np.where(fate == 1, np.uint32(ERASED_WORD), neither))
        return left.astype("<u4").tobytes()
