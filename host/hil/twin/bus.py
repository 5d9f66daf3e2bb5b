"""Sends the core's accesses to peripherals, and refuses what no peripheral answers."""

from __future__ import annotations

from dataclasses import dataclass

from hil.twin.peripherals.peripheral import Peripheral

_GRAIN_BITS = 4

RANGES = (
    (0x4000_0000, 0x0008_0000),
    (0x5000_0000, 0x0006_1000),
    (0xA000_0000, 0x0000_2000),
    (0xE000_0000, 0x0010_0000),
)
"""APB1/APB2/AHB1, AHB2, the registers of FMC and QUADSPI, and the private peripheral bus
(RM0385 2.2.2): what lies in between faults."""


@dataclass(eq=False)
class BusFaultError(Exception):
    """An access inside a peripheral range that hits no peripheral."""

    kind: str
    address: int
    size: int


class Bus:
    """The address decoder of the peripherals."""

    def __init__(self) -> None:
        self._slots: dict[int, Peripheral] = {}
        self._unclocked: set[str] = set()

    def attach(self, peripheral: Peripheral) -> None:
        """Gives `peripheral` its range of addresses."""
        first = peripheral.base >> _GRAIN_BITS
        last = (peripheral.base + peripheral.size - 1) >> _GRAIN_BITS
        for slot in range(first, last + 1):
            self._slots[slot] = peripheral

    def read(self, address: int, width: int) -> int:
        """`width` bytes at `address`."""
        peripheral = self._slots.get(address >> _GRAIN_BITS)
        if peripheral is None:
            raise BusFaultError("read", address, width)
        if not peripheral.clocked:
            self._warn_unclocked(peripheral)
            return 0
        offset = address - peripheral.base
        value = peripheral.read(offset & ~3)
        if width == 4:
            return value
        return (value >> 8 * (offset & 3)) & ((1 << 8 * width) - 1)

    def write(self, address: int, width: int, value: int) -> None:
        """Stores `width` bytes at `address`; the peripheral sees one or two as such."""
        peripheral = self._slots.get(address >> _GRAIN_BITS)
        if peripheral is None:
            raise BusFaultError("write", address, width)
        if not peripheral.clocked:
            self._warn_unclocked(peripheral)
            return
        offset = address - peripheral.base
        if width == 4:
            peripheral.write(offset & ~3, value & 0xFFFF_FFFF)
        else:
            peripheral.write_narrow(offset, width, value & ((1 << 8 * width) - 1))

    def _warn_unclocked(self, peripheral: Peripheral) -> None:
        if peripheral.name not in self._unclocked:
            self._unclocked.add(peripheral.name)
            peripheral.machine.warn(
                f"{peripheral.name} is used while its clock in RCC is off: it reads 0 and ignores writes"
            )
