"""Memory as the debugger reaches it through the AHB-AP: RAM, flash, peripherals and debug registers."""

from __future__ import annotations

from collections.abc import Callable

from hil.twin.bus import Bus, BusFaultError
from hil.twin.debug.control import CoreControl
from hil.twin.debug.fpb import FPB_BASE, FPB_SIZE, Fpb
from hil.twin.debug.identity import identification
from hil.twin.debug.watchpoints import DWT_BASE
from hil.twin.machine import Machine
from hil.twin.memory import FLASH_BASE, Region
from hil.twin.peripherals.debug import Dwt

CORE_DEBUG_BASE = 0xE000_EDF0
CORE_DEBUG_SIZE = 0x10
SCB_AIRCR_ADDRESS = 0xE000_ED0C
SCB_AIRCR_VECTRESET = 0x05FA_0001
_VECTRESET_MASK = 0xFFFF_0001


class AccessError(Exception):
    """Nothing answers at the address, or it refuses."""


class DebugAccess:
    """Reads and writes of 1, 2 or 4 bytes. Raises AccessError."""

    def __init__(
        self,
        machine: Machine,
        bus: Bus,
        control: CoreControl,
        fpb: Fpb,
        dwt: Dwt,
        *,
        on_code: Callable[[int, int], None],
        reset_core: Callable[[], None],
        service: Callable[[], None],
    ) -> None:
        self._memory = machine.memory
        self._flash = machine.flash
        self._bus = bus
        self._control = control
        self._fpb = fpb
        self._dwt = dwt
        self._on_code = on_code
        self._reset_core = reset_core
        self._service = service

    def read(self, address: int, size: int) -> int:
        """`size` bytes at `address`, as an integer."""
        self._check(address, size)
        region = self._memory.region(address)
        if region is not None:
            self._flash.wait()
            at = address - region.base
            return int.from_bytes(region.view[at : at + size], "little")
        word = self._read_debug(address & ~3)
        if word is None:
            try:
                return self._bus.read(address, size)
            except BusFaultError as error:
                raise AccessError(f"read at 0x{address:08x}") from error
        return word >> 8 * (address & 3) & ((1 << 8 * size) - 1)

    def write(self, address: int, size: int, value: int) -> None:
        """Stores `size` bytes at `address`."""
        self._check(address, size)
        region = self._memory.region(address)
        if region is not None:
            self._store(region, address, value.to_bytes(size, "little"))
        elif size != 4 or not self._write_debug(address, value):
            try:
                self._bus.write(address, size, value)
            except BusFaultError as error:
                raise AccessError(f"write at 0x{address:08x}") from error
            self._service()

    def _store(self, region: Region, address: int, data: bytes) -> None:
        if region.writable:
            at = address - region.base
            region.view[at : at + len(data)] = data
            self._on_code(address, len(data))
        elif region.base == FLASH_BASE:
            self._flash.store(address, data)
        else:
            raise AccessError(f"write to {region.name} at 0x{address:08x}")

    def _check(self, address: int, size: int) -> None:
        if address % size:
            raise AccessError(f"unaligned access at 0x{address:08x}")

    def _read_debug(self, address: int) -> int | None:
        if CORE_DEBUG_BASE <= address < CORE_DEBUG_BASE + CORE_DEBUG_SIZE:
            return self._control.read(address - CORE_DEBUG_BASE)
        found = identification(address)
        if found is None and FPB_BASE <= address < FPB_BASE + FPB_SIZE:
            return self._fpb.read(address - FPB_BASE)
        return found

    def _write_debug(self, address: int, value: int) -> bool:
        """Debug registers as seen from outside; False for all others."""
        if CORE_DEBUG_BASE <= address < CORE_DEBUG_BASE + CORE_DEBUG_SIZE:
            self._control.write(address - CORE_DEBUG_BASE, value)
        elif FPB_BASE <= address < FPB_BASE + FPB_SIZE:
            self._fpb.write(address - FPB_BASE, value)
        elif DWT_BASE <= address < DWT_BASE + 0x1000:
            self._dwt.store(address - DWT_BASE, value)  # its lock is for software alone
        elif address == SCB_AIRCR_ADDRESS and value & _VECTRESET_MASK == SCB_AIRCR_VECTRESET:
            self._reset_core()
        else:
            return False
        return True
