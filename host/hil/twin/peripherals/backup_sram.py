"""Backup SRAM (RM0385 4.1.2): 4 KB that outlive resets, behind their clock and the write protection."""

from __future__ import annotations

from hil.twin.machine import Machine
from hil.twin.peripherals.peripheral import Peripheral
from hil.twin.peripherals.pwr import Pwr

BKPSRAM_BYTES = 0x1000


class BackupSram(Peripheral):
    """Storage; Standby keeps it only with the backup regulator on (PWR_CSR1.BRE)."""

    def __init__(self, machine: Machine, pwr: Pwr, base: int = 0x4002_4000) -> None:
        super().__init__(machine, "BKPSRAM", base, BKPSRAM_BYTES)
        self._pwr = pwr
        self._bytes = bytearray(BKPSRAM_BYTES)

    def reset(self) -> None:
        """A reset leaves it alone."""

    def power_on(self, vbat: bool) -> None:
        if not vbat:
            self._bytes = bytearray(BKPSRAM_BYTES)

    def read(self, offset: int) -> int:
        return int.from_bytes(self._bytes[offset : offset + 4], "little")

    def peek(self, offset: int) -> int:
        return self.read(offset)

    def write(self, offset: int, value: int) -> None:
        if self._pwr.backup_writable:
            self._bytes[offset : offset + 4] = value.to_bytes(4, "little")
