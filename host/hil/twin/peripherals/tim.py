"""General-purpose timers TIM2 to TIM5 (RM0385 chapter 23): up-counting, update and compare events."""

from __future__ import annotations

from typing import ClassVar

from hil.twin.clock import SECOND_FS
from hil.twin.machine import Machine
from hil.twin.peripherals.peripheral import Peripheral

TIM_CR1, TIM_DIER, TIM_SR, TIM_EGR = 0x00, 0x0C, 0x10, 0x14
TIM_CNT, TIM_PSC, TIM_ARR = 0x24, 0x28, 0x2C
TIM_CCR1, TIM_CCR4 = 0x34, 0x40
TIM_CR1_CEN = 1 << 0
TIM_CR1_UDIS = 1 << 1
TIM_CR1_URS = 1 << 2
TIM_CR1_OPM = 1 << 3
TIM_SR_UIF = 1 << 0
TIM_SR_CC1IF = 1 << 1
TIM_EGR_UG = 1 << 0


class Timer(Peripheral):
    """Counts its prescaled clock up to ARR; compare channels only flag, they drive no pin."""

    RESET_VALUES: ClassVar[dict[int, int]] = {}

    def __init__(self, machine: Machine, name: str, base: int, irq: int, width: int) -> None:
        super().__init__(machine, name, base)
        self._irq = irq
        self._mask = (1 << width) - 1
        self._alarm = machine.alarm(self._on_alarm)
        machine.tree.listeners.append(self._on_clock_change)
        self.reset()

    def reset(self) -> None:
        super().reset()
        self.registers[TIM_ARR] = self._mask
        self._prescaler = 0
        """The prescaler in use; a new one is loaded at an update event."""
        self._held = 0
        self._seen = 0
        """Counts since `_start_fs` whose events have been flagged."""
        self._start_fs = 0
        self._alarm.set(None)
        self._update_line()

    @property
    def _running(self) -> bool:
        return bool(self.registers.get(TIM_CR1, 0) & TIM_CR1_CEN)

    @property
    def _period(self) -> int:
        return self.registers[TIM_ARR] + 1

    def read(self, offset: int) -> int:
        if offset in (TIM_CNT, TIM_SR, TIM_CR1):
            self._sync()
        if offset == TIM_CNT:
            return self._held
        return 0 if offset == TIM_EGR else super().read(offset)

    def write(self, offset: int, value: int) -> None:
        self._sync()
        if offset == TIM_SR:  # flags are cleared by writing 0
            value = self.registers.get(TIM_SR, 0) & value
        if offset == TIM_CNT:
            self._held = value & self._mask
        elif offset == TIM_EGR:
            self._generate(value)
        else:
            self.registers[offset] = value & self._mask if offset >= TIM_ARR else value
        self._restart()

    def _generate(self, value: int) -> None:
        flags = value & 0x1E
        if value & TIM_EGR_UG:
            self._held = 0
            self._prescaler = self.registers.get(TIM_PSC, 0) & 0xFFFF
            if not self.registers.get(TIM_CR1, 0) & (TIM_CR1_URS | TIM_CR1_UDIS):
                flags |= TIM_SR_UIF
        self.registers[TIM_SR] = self.registers.get(TIM_SR, 0) | flags

    def _restart(self) -> None:
        """Counts on from the held value."""
        self._start_fs = self.machine.clock.now_fs
        self._update_line()
        self._arm()

    def _sync(self) -> None:
        """Brings counter and flags up to the present."""
        if not self._running:
            return
        hz, divider = self.machine.tree.timer1_hz, self._prescaler + 1
        counts = (self.machine.clock.now_fs - self._start_fs) * hz // (SECOND_FS * divider)
        if counts <= 0:
            return
        self._start_fs += -(-counts * SECOND_FS * divider // hz)
        self._flag(counts)
        self._held = (self._held + counts) % self._period
        self._update_line()

    def _flag(self, counts: int) -> None:
        flags = 0
        if self._held + counts >= self._period:
            flags |= TIM_SR_UIF
            self._prescaler = self.registers.get(TIM_PSC, 0) & 0xFFFF
            if self.registers.get(TIM_CR1, 0) & TIM_CR1_OPM:
                self.registers[TIM_CR1] &= ~TIM_CR1_CEN
        for channel in range(4):
            if 0 < self._until(self.registers.get(TIM_CCR1 + 4 * channel, 0)) <= counts:
                flags |= TIM_SR_CC1IF << channel
        self.registers[TIM_SR] = self.registers.get(TIM_SR, 0) | flags

    def _until(self, value: int) -> int:
        """Counts until the counter next becomes `value`; 0 when it never does."""
        if value >= self._period:
            return 0
        return (value - self._held - 1) % self._period + 1

    def _arm(self) -> None:
        """Wakes at the next event that firmware wants an interrupt for."""
        enabled = self.registers.get(TIM_DIER, 0)
        waits = [self._period - self._held] if enabled & TIM_SR_UIF else []
        for channel in range(4):
            if enabled & TIM_SR_CC1IF << channel:
                waits.append(self._until(self.registers.get(TIM_CCR1 + 4 * channel, 0)))
        waits = [wait for wait in waits if wait > 0]
        if not self._running or not waits:
            self._alarm.set(None)
            return
        hz, divider = self.machine.tree.timer1_hz, self._prescaler + 1
        self._alarm.set(self._start_fs - (-min(waits) * SECOND_FS * divider // hz))

    def _on_alarm(self) -> None:
        self._sync()
        self._arm()

    def _on_clock_change(self) -> None:
        self._sync()
        self.machine.tree.after_change.append(self._restart)

    def _update_line(self) -> None:
        wanted = self.registers.get(TIM_SR, 0) & self.registers.get(TIM_DIER, 0) & 0x1F
        self.machine.nvic.set_line(self._irq, bool(wanted))
