"""Stop and Standby (RM0385 4.3): clocks that stand still, and how the chip comes back."""

from __future__ import annotations

from enum import StrEnum

from hil.twin.clock import SECOND_FS
from hil.twin.machine import Machine, ResetCause
from hil.twin.memory import Memory
from hil.twin.peripherals.backup_sram import BackupSram
from hil.twin.peripherals.pwr import PWR_CR1, PWR_CR1_FPDS, PWR_CR1_LPDS, PWR_CR1_PDDS, PWR_CR1_UDEN, Pwr
from hil.twin.peripherals.rcc import Rcc
from hil.twin.peripherals.scb import Scb

_MICROSECOND_FS = SECOND_FS // 1_000_000
STANDBY_WAKE_FS = 308 * _MICROSECOND_FS
"""Wake-up from Standby, typical (STM32F746 datasheet, low-power mode wake-up timings)."""

_STOP_WAKE_FS = {
    # (under-drive, low-power regulator, flash in power-down)
    (False, False, False): 14 * _MICROSECOND_FS,
    (False, False, True): 104 * _MICROSECOND_FS,
    (False, True, False): 22 * _MICROSECOND_FS,
    (False, True, True): 108 * _MICROSECOND_FS,
    (True, False, False): 107 * _MICROSECOND_FS,
    (True, False, True): 107 * _MICROSECOND_FS,
    (True, True, False): 113 * _MICROSECOND_FS,
    (True, True, True): 113 * _MICROSECOND_FS,
}
"""From the event to the first instruction on HSI, typical (same table)."""


class SleepDepth(StrEnum):
    """What a waiting core has switched off."""

    SLEEP = "sleep"
    STOP = "stop"
    STANDBY = "standby"


class LowPower:
    """Decides how deep a sleep is when it begins, and undoes it when it ends."""

    def __init__(self, machine: Machine, scb: Scb, pwr: Pwr, rcc: Rcc, backup_sram: BackupSram) -> None:
        self._machine = machine
        self._scb = scb
        self._pwr = pwr
        self._rcc = rcc
        self._backup_sram = backup_sram
        self.depth = SleepDepth.SLEEP
        pwr.on_wake = self._on_wake

    @property
    def stopped(self) -> bool:
        """The chip's clocks stand still: only elapsed time passes."""
        return self.depth is not SleepDepth.SLEEP

    def reset(self) -> None:
        """The clocks run."""
        self.depth = SleepDepth.SLEEP

    def enter(self) -> None:
        """The core sleeps, and nothing pending wakes it."""
        if self.stopped or not self._scb.sleep_deep:
            return
        standby = bool(self._pwr.registers[PWR_CR1] & PWR_CR1_PDDS)
        self.depth = SleepDepth.STANDBY if standby else SleepDepth.STOP
        self._rcc.enter_stop()
        if standby and self._pwr.wake_pending:
            self._on_wake()

    def leave(self) -> None:
        """Something woke the core: after Stop it runs on HSI, once regulator and flash are up."""
        if self.depth is not SleepDepth.STOP:
            return
        self.depth = SleepDepth.SLEEP
        clock, cr1 = self._machine.clock, self._pwr.registers[PWR_CR1]
        mode = (
            cr1 & PWR_CR1_UDEN == PWR_CR1_UDEN,
            bool(cr1 & PWR_CR1_LPDS),
            bool(cr1 & PWR_CR1_FPDS),
        )
        clock.stop_until(clock.elapsed_fs + _STOP_WAKE_FS[mode])
        self._pwr.leave_stop()
        self._rcc.leave_stop()

    def _on_wake(self) -> None:
        """A wake-up pin or the RTC: Standby ends with a reset, and RAM has lost its contents."""
        if self.depth is not SleepDepth.STANDBY:
            return
        clock = self._machine.clock
        clock.stop_until(clock.elapsed_fs + STANDBY_WAKE_FS)
        self._pwr.note_standby()
        _power_down(self._machine.memory)
        if not self._pwr.backup_regulator:
            self._backup_sram.power_on(vbat=False)
        self._machine.request_reset(ResetCause.STANDBY)


def _power_down(memory: Memory) -> None:
    for region in memory.regions:
        if region.writable:
            region.view[:] = bytes(region.size)
