"""SysTick (ARMv7-M ARM B3.3): a 24-bit down-counter on virtual time."""

from __future__ import annotations

from hil.twin.clock import SECOND_FS
from hil.twin.machine import Machine
from hil.twin.nvic import SYSTICK
from hil.twin.peripherals.peripheral import Peripheral

SYST_CSR = 0x0
SYST_CSR_ENABLE = 1 << 0
SYST_CSR_TICKINT = 1 << 1
SYST_CSR_CLKSOURCE = 1 << 2
SYST_CSR_COUNTFLAG = 1 << 16
SYST_RVR = 0x4
SYST_CVR = 0x8
SYST_CALIB = 0xC
SYST_CALIB_VALUE = 0x4000_493E
"""As RM0385 10.1.2 gives it."""


class SysTick(Peripheral):
    """Counts the core clock, or an eighth of it; goes on while the core sleeps."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine, "SysTick", 0xE000_E010, 0x10)
        self._wrap = machine.alarm(self._on_wrap)
        machine.tree.listeners.append(self._settle)
        self.reset()

    def reset(self) -> None:
        super().reset()
        self._zero_fs = 0
        """When the counter is next at zero, or was last: the phase of the counter."""
        self._held = 0
        self._fired_fs = 0
        self._countflag = False
        self._wrap.set(None)

    @property
    def _hz(self) -> int:
        hclk = self.machine.tree.hclk_hz
        return hclk if self.registers.get(SYST_CSR, 0) & SYST_CSR_CLKSOURCE else hclk // 8

    @property
    def _running(self) -> bool:
        return bool(self.registers.get(SYST_CSR, 0) & SYST_CSR_ENABLE)

    @property
    def _period(self) -> int:
        return self.registers.get(SYST_RVR, 0) + 1

    def read(self, offset: int) -> int:
        if offset == SYST_CSR:
            flag = SYST_CSR_COUNTFLAG if self._countflag or self._wrapped() else 0
            self._countflag = False
            self._fired_fs = self.machine.clock.now_fs
            return self.registers.get(SYST_CSR, 0) | flag
        if offset == SYST_CVR:
            return self._current()
        return SYST_CALIB_VALUE if offset == SYST_CALIB else super().read(offset)

    def write(self, offset: int, value: int) -> None:
        if offset == SYST_CSR:
            self._write_csr(value & 7)
        elif offset == SYST_RVR:
            current = self._current()
            self.registers[SYST_RVR] = value & 0xFF_FFFF
            self._start(current)
        elif offset == SYST_CVR:  # any write clears it, and the next clock reloads it
            self._countflag = False
            self._start(0)

    def _write_csr(self, value: int) -> None:
        current = self._current()
        self.registers[SYST_CSR] = value
        self._start(current)

    def _current(self) -> int:
        """The counter now."""
        if not self._running:
            return self._held
        left_fs = self._zero_fs - self.machine.clock.now_fs
        counts = -(-left_fs * self._hz // SECOND_FS)
        return counts % self._period

    def _start(self, current: int) -> None:
        """Goes on from `current`; zero is reached `current` clocks from now, or a period from zero."""
        self._held = current
        now_fs = self.machine.clock.now_fs
        self._fired_fs = now_fs
        self._zero_fs = now_fs + self._counts_fs(current or self._period)
        self._arm(self._zero_fs)

    def _arm(self, at_fs: int) -> None:
        active = self._running and self.registers.get(SYST_RVR, 0) > 0
        needed = self.registers.get(SYST_CSR, 0) & SYST_CSR_TICKINT
        self._wrap.set(at_fs if active and needed else None)

    def _counts_fs(self, counts: int) -> int:
        return -(-counts * SECOND_FS // self._hz)

    def _wrapped(self) -> bool:
        """Whether zero was passed since the last look, without an interrupt to tell."""
        if not self._running or not self.registers.get(SYST_RVR, 0):
            return False
        now_fs = self.machine.clock.now_fs
        period_fs = self._counts_fs(self._period)
        passed = (now_fs - self._zero_fs) // period_fs
        return now_fs >= self._zero_fs and self._zero_fs + passed * period_fs > self._fired_fs

    def _on_wrap(self) -> None:
        self._countflag = True
        self._fired_fs = self.machine.clock.now_fs
        self.machine.nvic.pend(SYSTICK)
        # From the exact time of the wrap, not from now: the tick must not drift.
        self._zero_fs += self._counts_fs(self._period)
        if self._zero_fs <= self.machine.clock.now_fs:
            behind = self.machine.clock.now_fs - self._zero_fs
            period_fs = self._counts_fs(self._period)
            self._zero_fs += (behind // period_fs + 1) * period_fs
        self._arm(self._zero_fs)

    def _settle(self) -> None:
        """The clock is about to change: keep the count and go on from it."""
        if self._running:
            self._countflag = self._countflag or self._wrapped()
            self._held = self._current()
            self.machine.tree.after_change.append(lambda: self._start(self._held))
