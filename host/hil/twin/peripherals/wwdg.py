"""System window watchdog (RM0385 chapter 27): a down-counter on PCLK1 that must not be fed too early."""

from __future__ import annotations

from typing import ClassVar

from hil.twin.clock import SECOND_FS
from hil.twin.machine import Machine, ResetCause
from hil.twin.peripherals.peripheral import Peripheral

WWDG_CR = 0x0
WWDG_CR_T = 0x7F
WWDG_CR_T6 = 1 << 6
WWDG_CR_WDGA = 1 << 7
WWDG_CFR = 0x4
WWDG_CFR_W = 0x7F
WWDG_CFR_EWI = 1 << 9
WWDG_SR = 0x8
WWDG_SR_EWIF = 1 << 0

WWDG_IRQ = 0
EARLY_WAKEUP = 0x40
PCLK_PER_STEP = 4096


class Wwdg(Peripheral):
    """Once active only a reset stops it. It stands still in Stop, with its clock.

    Steps are counted from the last write of the counter; the prescaler's own phase is not modelled.
    """

    RESET_VALUES: ClassVar[dict[int, int]] = {WWDG_CR: 0x7F, WWDG_CFR: 0x7F}

    def __init__(self, machine: Machine, base: int = 0x4000_2C00) -> None:
        super().__init__(machine, "WWDG", base)
        self._alarm = machine.alarm(self._on_alarm)
        machine.tree.listeners.append(self._on_clock_change)
        self.reset()

    def reset(self) -> None:
        super().reset()
        self._start_fs = self.machine.clock.now_fs
        self._start = self.registers[WWDG_CR] & WWDG_CR_T
        self._alarm.set(None)
        self._update_line()

    @property
    def _active(self) -> bool:
        return bool(self.registers[WWDG_CR] & WWDG_CR_WDGA)

    @property
    def _step_fs(self) -> int:
        divider = PCLK_PER_STEP << (self.registers[WWDG_CFR] >> 7 & 3)
        return divider * SECOND_FS // self.machine.tree.pclk1_hz

    @property
    def counter(self) -> int:
        """T[6:0] now; it runs on also while the watchdog is off."""
        steps = (self.machine.clock.now_fs - self._start_fs) // self._step_fs
        return (self._start - steps) & WWDG_CR_T

    def read(self, offset: int) -> int:
        if offset == WWDG_CR:
            return self.registers[WWDG_CR] & WWDG_CR_WDGA | self.counter
        return super().read(offset)

    def write(self, offset: int, value: int) -> None:
        if offset == WWDG_CR:
            self._write_counter(value)
        elif offset == WWDG_CFR:
            self._hold()
            self.registers[WWDG_CFR] = value & 0x3FF | self.registers[WWDG_CFR] & WWDG_CFR_EWI
        elif offset == WWDG_SR:  # written 0 to clear
            self.registers[WWDG_SR] = self.registers.get(WWDG_SR, 0) & value
        self._arm()
        self._update_line()

    def _write_counter(self, value: int) -> None:
        too_early = self._active and self.counter > self.registers[WWDG_CFR] & WWDG_CFR_W
        self.registers[WWDG_CR] |= value & WWDG_CR_WDGA
        self._start, self._start_fs = value & WWDG_CR_T, self.machine.clock.now_fs
        if self._active and (too_early or not value & WWDG_CR_T6):
            self.machine.request_reset(ResetCause.WINDOW_WATCHDOG)

    def _hold(self) -> None:
        """Counts on from here at another pace."""
        self._start, self._start_fs = self.counter, self.machine.clock.now_fs

    def _arm(self) -> None:
        """Wakes at 0x40 for the early warning, then at 0x3F for the reset."""
        now = self.counter
        if not self._active or not now & WWDG_CR_T6:
            self._alarm.set(None)
            return
        target = EARLY_WAKEUP if now > EARLY_WAKEUP else EARLY_WAKEUP - 1
        self._alarm.set(self._start_fs + (self._start - target) * self._step_fs)

    def _on_alarm(self) -> None:
        if not self.counter & WWDG_CR_T6:
            self.machine.request_reset(ResetCause.WINDOW_WATCHDOG)
            return
        self.registers[WWDG_SR] = self.registers.get(WWDG_SR, 0) | WWDG_SR_EWIF
        self._update_line()
        self._arm()

    def _on_clock_change(self) -> None:
        self._hold()
        self.machine.tree.after_change.append(self._arm)

    def _update_line(self) -> None:
        wanted = self.registers.get(WWDG_SR, 0) and self.registers[WWDG_CFR] & WWDG_CFR_EWI
        self.machine.nvic.set_line(WWDG_IRQ, bool(wanted))
