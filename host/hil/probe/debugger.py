"""What hil needs of a debug probe: few words, so that a test can speak them without one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Sector:
    """What the flash erases at once, in bytes."""

    address: int
    size: int

    @property
    def end(self) -> int:
        return self.address + self.size


class Debugger(Protocol):
    """A halted core behind a probe. Every method raises BoardError when probe or core do not answer."""

    @property
    def sectors(self) -> Sequence[Sector]:
        """The flash, in ascending order without gaps."""
        ...

    def read(self, address: int, size: int) -> bytes:
        """`size` bytes of memory."""
        ...

    def erase(self, sector: Sector) -> None:
        """Sets every byte of `sector` to 0xFF."""
        ...

    def program(self, address: int, data: bytes) -> None:
        """Writes `data` to erased flash, from its end to its beginning."""
        ...

    def run(self) -> None:
        """Resets the board and ends debugging: the firmware starts as if no probe were there."""
        ...

    def close(self) -> None:
        """Hands the probe back. Safe to call again, and after an error."""
        ...
