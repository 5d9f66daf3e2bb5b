"""Peripherals that exist on the chip and not in the twin: they store, and say so once a register."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hil.twin.machine import Machine
from hil.twin.peripherals.peripheral import Peripheral

_NONE: Mapping[int, int] = MappingProxyType({})


class Unmodelled(Peripheral):
    """Reads 0 until written; the first use of each register is a warning.

    By offset, `self_clearing` are the bits that hardware clears when it has done what they ask for,
    and `ready` those that read 1: drivers wait for both without end.
    """

    def __init__(
        self,
        machine: Machine,
        name: str,
        base: int,
        size: int = 0x400,
        self_clearing: Mapping[int, int] = _NONE,
        ready: Mapping[int, int] = _NONE,
    ) -> None:
        super().__init__(machine, name, base, size)
        self._self_clearing = self_clearing
        self._ready = ready
        self._warned: set[int] = set()

    def read(self, offset: int) -> int:
        self._warn(offset)
        return super().read(offset) | self._ready.get(offset, 0)

    def write(self, offset: int, value: int) -> None:
        self._warn(offset)
        super().write(offset, value & ~self._self_clearing.get(offset, 0))

    def _warn(self, offset: int) -> None:
        if offset not in self._warned:
            self._warned.add(offset)
            self.machine.warn(f"{self.name}+0x{offset:02x} (0x{self.base + offset:08x}) is not modelled")
