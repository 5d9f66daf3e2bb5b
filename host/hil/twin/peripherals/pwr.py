"""Power control (RM0385 chapter 4): voltage scaling and over-drive are ready at once."""

from __future__ import annotations

from typing import ClassVar

from hil.twin.machine import Machine
from hil.twin.peripherals.peripheral import Peripheral

PWR_CR1 = 0x0
PWR_CR1_ODEN = 1 << 16
PWR_CR1_ODSWEN = 1 << 17
PWR_CSR1 = 0x4
PWR_CSR1_VOSRDY = 1 << 14
PWR_CSR1_ODRDY = 1 << 16
PWR_CSR1_ODSWRDY = 1 << 17

OVERDRIVE_NEEDED_ABOVE_HZ = 180_000_000
"""RM0385 table 12: 180 MHz without over-drive, 216 MHz with."""


class Pwr(Peripheral):
    """Tells firmware that the regulator followed, and the user when the core outruns it."""

    RESET_VALUES: ClassVar[dict[int, int]] = {PWR_CR1: 0x0000_C000}

    def __init__(self, machine: Machine, base: int = 0x4000_7000) -> None:
        super().__init__(machine, "PWR", base)

    @property
    def overdrive(self) -> bool:
        """The regulator feeds the core in over-drive."""
        both = PWR_CR1_ODEN | PWR_CR1_ODSWEN
        return self.registers.get(PWR_CR1, 0) & both == both

    def read(self, offset: int) -> int:
        if offset == PWR_CSR1:
            enabled = self.registers.get(PWR_CR1, 0) & (PWR_CR1_ODEN | PWR_CR1_ODSWEN)
            return self.registers.get(PWR_CSR1, 0) | PWR_CSR1_VOSRDY | enabled
        return super().read(offset)
