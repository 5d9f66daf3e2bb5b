"""A flash behind a probe, in Python: erases to ones, programs only towards zero, may lose its power."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hil.errors import BoardError
from hil.probe.debugger import Sector

KIB = 1024
BASE = 0x0800_0000


def sectors_of(*sizes: int, base: int = BASE) -> tuple[Sector, ...]:
    """Sectors of `sizes` bytes, one behind the other."""
    return tuple(Sector(base + sum(sizes[:place]), size) for place, size in enumerate(sizes))


F746 = sectors_of(*[32 * KIB] * 4, 128 * KIB, *[256 * KIB] * 3)


class FakeFlash:
    """The chip's flash; it survives the debuggers that look at it."""

    def __init__(self, sectors: Sequence[Sector] = F746, content: bytes = b"") -> None:
        self.sectors = tuple(sectors)
        size = self.sectors[-1].end - self.sectors[0].address
        self.memory = bytearray(content.ljust(size, b"\xff"))


@dataclass
class FakeDebugger:
    """Fails for good before step number `fails_at` of erasing and programming."""

    flash: FakeFlash
    fails_at: int | None = None
    bad_at: int | None = None
    """An address whose lowest bit cannot be programmed to 1 again: a worn-out cell."""
    steps: int = 0
    erased: list[int] = field(default_factory=list)
    programmed: list[int] = field(default_factory=list)
    running: bool = False
    closed: int = 0
    firmware: str | None = "V2J43M28"

    @property
    def sectors(self) -> Sequence[Sector]:
        return self.flash.sectors

    def _offset(self, address: int) -> int:
        return address - self.flash.sectors[0].address

    def _step(self) -> None:
        if self.steps == self.fails_at:
            raise BoardError("the probe lost its board")
        self.steps += 1

    def read(self, address: int, size: int) -> bytes:
        offset = self._offset(address)
        assert offset >= 0
        assert offset + size <= len(self.flash.memory)
        return bytes(self.flash.memory[offset : offset + size])

    def erase(self, sector: Sector) -> None:
        assert sector in self.flash.sectors
        offset = self._offset(sector.address)
        half = sector.size // 2
        self._step()
        self.flash.memory[offset : offset + half] = b"\xff" * half
        self._step()
        self.flash.memory[offset : offset + sector.size] = b"\xff" * sector.size
        self.erased.append(sector.address)

    def program(self, address: int, data: bytes) -> None:
        offset, half = self._offset(address), len(data) // 2
        for start, part in ((half, data[half:]), (0, data[:half])):
            self._step()
            for place, byte in enumerate(part, offset + start):
                self.flash.memory[place] &= byte
        if self.bad_at is not None:
            self.flash.memory[self._offset(self.bad_at)] &= 0xFE
        self.programmed.append(address)

    def run(self) -> None:
        self.running = True

    def close(self) -> None:
        self.closed += 1
