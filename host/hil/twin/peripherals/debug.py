"""What debuggers and profilers use: DWT cycle counter, CoreDebug, ITM, DBGMCU (RM0385 40)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from hil.twin.machine import Machine
from hil.twin.peripherals.peripheral import Peripheral

DWT_CTRL = 0x000
DWT_CTRL_CYCCNTENA = 1 << 0
DWT_CTRL_RESET = 0x4000_0000
DWT_CYCCNT = 0x004
DWT_LAR = 0xFB0
DWT_LAR_KEY = 0xC5AC_CE55
DWT_LSR = 0xFB4

COREDEBUG_DHCSR = 0x0
COREDEBUG_DEMCR = 0xC
COREDEBUG_DEMCR_TRCENA = 1 << 24

DBGMCU_IDCODE = 0x00
DBGMCU_IDCODE_F74XXX_REV_Z = 0x1001_6449
DBGMCU_CR = 0x04
DBGMCU_CR_DBG_SLEEP = 1 << 0
DBGMCU_APB1_FZ = 0x08
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

    @property
    def freezes_iwdg(self) -> bool:
        """DBG_IWDG_STOP stops the independent watchdog while the core is halted (RM0385 40.16.4)."""
        return bool(self.registers.get(DBGMCU_APB1_FZ, 0) & DBGMCU_APB1_FZ_DBG_IWDG_STOP)

    def write(self, offset: int, value: int) -> None:
        if offset != DBGMCU_IDCODE:
            super().write(offset, value)


class Dwt(Peripheral):
    """The cycle counter (ARMv7-M ARM C1.8).

    On this part it stays locked until LAR is written, and it stops while the core sleeps, unless
    DBGMCU_CR.DBG_SLEEP is set. A read sees the time at the end of its basic block.
    """

    RESET_VALUES: ClassVar[dict[int, int]] = {DWT_CTRL: DWT_CTRL_RESET}
    POWER_ON_ONLY = True

    def __init__(self, machine: Machine, core_debug: CoreDebug, dbgmcu: Dbgmcu) -> None:
        super().__init__(machine, "DWT", 0xE000_1000, 0x1000)
        self._core_debug = core_debug
        self._dbgmcu = dbgmcu
        self._locked = True
        self._start = 0
        self._held = 0

    def reset(self) -> None:
        super().reset()
        self._locked = True
        self._held = 0

    @property
    def _counting(self) -> bool:
        return bool(self.registers[DWT_CTRL] & DWT_CTRL_CYCCNTENA) and self._core_debug.tracing

    def read(self, offset: int) -> int:
        if offset == DWT_CYCCNT:
            return self._count() if self._counting else self._held
        if offset == DWT_LSR:
            return 0x3 if self._locked else 0x1
        return super().read(offset)

    def write(self, offset: int, value: int) -> None:
        if offset == DWT_LAR:
            self._locked = value != DWT_LAR_KEY
        elif not self._locked:
            self.store(offset, value)

    def store(self, offset: int, value: int) -> None:
        """What `write` does behind the lock, which is for software: a debugger passes it."""
        if offset == DWT_CYCCNT:
            self._set(value)
        elif offset == DWT_CTRL:
            before = self.read(DWT_CYCCNT)
            self.registers[DWT_CTRL] = DWT_CTRL_RESET | (value & 0x0FFF_FFFF)
            self._set(before)
        else:
            super().write(offset, value)

    def _cycles(self) -> int:
        clock = self.machine.clock
        return clock.cycles if self._dbgmcu.counts_in_sleep else clock.awake_cycles

    def _count(self) -> int:
        return (self._cycles() - self._start) & 0xFFFF_FFFF

    def _set(self, value: int) -> None:
        self._held = value
        self._start = self._cycles() - value
