"""Memory as the debugger reaches it through the AHB-AP: RAM, flash, peripherals and debug registers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from hil.twin.bus import Bus, BusFaultError
from hil.twin.debug.control import CoreControl
from hil.twin.machine import Machine
from hil.twin.memory import FLASH_BASE, Region

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
        *,
        on_code: Callable[[int, int], None],
        reset_core: Callable[[], None],
        service: Callable[[], None],
    ) -> None:
        self._machine = machine
        self._memory = machine.memory
        self._flash = machine.flash
        self._bus = bus
        self._control = control
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
        if CORE_DEBUG_BASE <= address < CORE_DEBUG_BASE + CORE_DEBUG_SIZE:
            word = self._control.read((address & ~3) - CORE_DEBUG_BASE)
            return word >> 8 * (address & 3) & ((1 << 8 * size) - 1)
        try:
            with self._as_debugger():
                return self._bus.read(address, size)
        except BusFaultError as error:
            raise AccessError(f"read at 0x{address:08x}") from error

    def write(self, address: int, size: int, value: int) -> None:
        """Stores `size` bytes at `address`."""
        self._check(address, size)
        region = self._memory.region(address)
        if region is not None:
            self._store(region, address, value.to_bytes(size, "little"))
        elif size != 4 or not self._write_debug(address, value):
            try:
                with self._as_debugger():
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

    @contextlib.contextmanager
    def _as_debugger(self) -> Iterator[None]:
        """Software locks do not hold for the debug port."""
        self._machine.debugger_access = True
        try:
            yield
        finally:
            self._machine.debugger_access = False

    def _write_debug(self, address: int, value: int) -> bool:
        """Debug registers as seen from outside; False for all others."""
        if CORE_DEBUG_BASE <= address < CORE_DEBUG_BASE + CORE_DEBUG_SIZE:
            self._control.write(address - CORE_DEBUG_BASE, value)
        elif address == SCB_AIRCR_ADDRESS and value & _VECTRESET_MASK == SCB_AIRCR_VECTRESET:
            self._reset_core()
        else:
            return False
        return True
