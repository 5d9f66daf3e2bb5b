"""The instrumentation trace macrocell (ARMv7-M ARM C1.7): stimulus ports whose bytes the host reads."""

from __future__ import annotations

from collections.abc import Callable

from hil.twin.machine import Machine
from hil.twin.peripherals.coresight import CLASS_GENERIC, LAR_KEY, Component, identification
from hil.twin.peripherals.debug import CoreDebug

ITM_BASE = 0xE000_0000
PORTS = 32
ITM_TER = 0xE00
ITM_TPR = 0xE40
ITM_TCR = 0xE80
ITM_TCR_ITMENA = 1 << 0
ITM_TCR_WRITABLE = 0x007F_0F1F
FIFO_READY = 1


class Itm(Component):
    """Ports 0 to 31; a write is taken at once. `on_bytes` sees what goes to port 0, as it goes."""

    POWER_ON_ONLY = True

    def __init__(self, machine: Machine, core_debug: CoreDebug) -> None:
        super().__init__(machine, "ITM", ITM_BASE, identification(0x001, CLASS_GENERIC), lock=True)
        self._core_debug = core_debug
        self._received = bytearray()
        self.on_bytes: Callable[[bytes], None] | None = None

    def take(self) -> bytes:
        """What firmware wrote to port 0 since the last call; nothing where `on_bytes` takes it."""
        taken = bytes(self._received)
        self._received.clear()
        return taken

    def watch(self) -> None:
        """What an SWO viewer does when it attaches: trace on, port 0 enabled."""
        self._core_debug.enable_trace()
        assert self.lock is not None
        self.lock.write(LAR_KEY)
        self.registers[ITM_TCR] = self.registers.get(ITM_TCR, 0) | ITM_TCR_ITMENA
        self.registers[ITM_TER] = self.registers.get(ITM_TER, 0) | 1

    def open_to_all(self, port: int) -> bool:
        """ITM_TPR: a set bit keeps eight ports for privileged code."""
        return not self.registers.get(ITM_TPR, 0) >> (port >> 3) & 1

    def read(self, offset: int) -> int:
        if offset < 4 * PORTS:
            return FIFO_READY if self._enabled(offset >> 2) else 0
        return super().read(offset)

    def write(self, offset: int, value: int) -> None:
        if offset < 4 * PORTS:
            self._send(offset >> 2, 4, value)
        else:
            super().write(offset, value)

    def write_narrow(self, offset: int, width: int, value: int) -> None:
        if offset < 4 * PORTS:
            self._send(offset >> 2, width, value)
        else:
            super().write_narrow(offset, width, value)

    def _send(self, port: int, width: int, value: int) -> None:
        """A write of 1, 2 or 4 bytes is a packet of so many."""
        if port == 0 and self._enabled(0):
            data = (value & ((1 << 8 * width) - 1)).to_bytes(width, "little")
            if self.on_bytes is not None:
                self.on_bytes(data)
            else:
                self._received += data

    def store(self, offset: int, value: int) -> None:
        super().store(offset, value & ITM_TCR_WRITABLE if offset == ITM_TCR else value)

    def _enabled(self, port: int) -> bool:
        on = self._core_debug.tracing and self.registers.get(ITM_TCR, 0) & ITM_TCR_ITMENA
        return bool(on and self.registers.get(ITM_TER, 0) >> port & 1)
