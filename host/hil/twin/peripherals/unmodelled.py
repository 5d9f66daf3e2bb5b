"""Peripherals that exist on the chip and not in the twin: they store, and say so once a register."""

from __future__ import annotations

from hil.twin.machine import Machine
from hil.twin.peripherals.peripheral import Peripheral


class Unmodelled(Peripheral):
    """Reads 0 until written; the first use of each register is a warning."""

    def __init__(self, machine: Machine, name: str, base: int, size: int = 0x400) -> None:
        super().__init__(machine, name, base, size)
        self._warned: set[int] = set()

    def read(self, offset: int) -> int:
        self._warn(offset)
        return super().read(offset)

    def write(self, offset: int, value: int) -> None:
        self._warn(offset)
        super().write(offset, value)

    def _warn(self, offset: int) -> None:
        if offset not in self._warned:
            self._warned.add(offset)
            self.machine.warn(f"{self.name}+0x{offset:02x} (0x{self.base + offset:08x}) is not modelled")
