"""What debuggers use of the core and the chip: CoreDebug and DBGMCU (RM0385 40)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from hil.twin.machine import Machine
from hil.twin.peripherals.peripheral import Peripheral

COREDEBUG_DHCSR = 0x0
COREDEBUG_DEMCR = 0xC
COREDEBUG_DEMCR_TRCENA = 1 << 24

DBGMCU_IDCODE = 0x00
DBGMCU_IDCODE_F74XXX_REV_Z = 0x1001_6449
DBGMCU_CR = 0x04
DBGMCU_CR_DBG_SLEEP = 1 << 0
DBGMCU_APB1_FZ, DBGMCU_APB2_FZ = 0x08, 0x0C
DBGMCU_APB1_FZ_DBG_IWDG_STOP = 1 << 12


class CoreDebug(Peripheral):
    """DHCSR, DCRSR, DCRDR, DEMCR (ARMv7-M ARM C1.6) as firmware sees them."""

    POWER_ON_ONLY = True

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine, "CoreDebug", 0xE000_EDF0, 0x10)
        self.status: Callable[[], int] = lambda: 0
        """DHCSR of the debug logic; without it no debugger is attached."""

    @property
    def tracing(self) -> bool:
        """DEMCR.TRCENA, without which the DWT stands still."""
        return bool(self.registers.get(COREDEBUG_DEMCR, 0) & COREDEBUG_DEMCR_TRCENA)

    def enable_trace(self) -> None:
        """Sets DEMCR.TRCENA, as a debugger does."""
        self.registers[COREDEBUG_DEMCR] = self.registers.get(COREDEBUG_DEMCR, 0) | COREDEBUG_DEMCR_TRCENA

    def read(self, offset: int) -> int:
        return self.status() if offset == COREDEBUG_DHCSR else super().read(offset)

    def write(self, offset: int, value: int) -> None:
        if offset == COREDEBUG_DEMCR:
            super().write(offset, value)


class Dbgmcu(Peripheral):
    """The MCU debug component: device identity, and clocks that go on in sleep."""

    POWER_ON_ONLY = True

    RESET_VALUES: ClassVar[dict[int, int]] = {DBGMCU_IDCODE: DBGMCU_IDCODE_F74XXX_REV_Z}

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine, "DBGMCU", 0xE004_2000, 0x400)

    @property
    def counts_in_sleep(self) -> bool:
        """DBG_SLEEP keeps HCLK running while the core sleeps (RM0385 40.16.1)."""
        return bool(self.registers.get(DBGMCU_CR, 0) & DBGMCU_CR_DBG_SLEEP)

    def reset(self) -> None:
        super().reset()
        for apb in (1, 2):
            self.machine.freeze.set_bits(apb, 0)

    @property
    def freezes_iwdg(self) -> bool:
        """DBG_IWDG_STOP stops the independent watchdog while the core is halted (RM0385 40.16.4)."""
        return bool(self.registers.get(DBGMCU_APB1_FZ, 0) & DBGMCU_APB1_FZ_DBG_IWDG_STOP)

    def write(self, offset: int, value: int) -> None:
        if offset != DBGMCU_IDCODE:
            super().write(offset, value)
        if offset in (DBGMCU_APB1_FZ, DBGMCU_APB2_FZ):
            self.machine.freeze.set_bits(1 if offset == DBGMCU_APB1_FZ else 2, value)
