"""The timers TIM1 to TIM14 (RM0385 chapters 22 to 25), counted when somebody looks.

A timer costs nothing while nothing can notice it: its registers are computed when they are read,
and an alarm is set only for the next event that an interrupt, a DMA stream or another timer waits for.
"""

from __future__ import annotations

from hil.twin.machine import Machine
from hil.twin.peripherals import tim_registers as r
from hil.twin.peripherals.peripheral import Peripheral
from hil.twin.peripherals.tick_clock import TickClock
from hil.twin.peripherals.tim_counter import Counter, Events
from hil.twin.peripherals.tim_inputs import Inputs
from hil.twin.peripherals.tim_outputs import Outputs
from hil.twin.peripherals.tim_registers import TimerModel
from hil.twin.peripherals.tim_requests import TimerRequests
from hil.twin.peripherals.tim_triggers import Triggers
from hil.twin.peripherals.tim_writes import RegisterWrites

_CNT_UIFCPY = 1 << 31


class Timer(Peripheral):
    """One timer. `flags` is TIMx_SR; the parts know their registers and share this object."""

    def __init__(self, machine: Machine, model: TimerModel) -> None:
        self.model = model
        self.counter = Counter(model.mask)
        self._syncing = False
        self._clocked = True
        self.flags = 0
        super().__init__(machine, model.name, model.base)
        tree = machine.tree
        self._ticks = TickClock((lambda: tree.timer1_hz) if model.apb == 1 else (lambda: tree.timer2_hz))
        self.outputs = Outputs(self)
        self.inputs = Inputs(self)
        self.triggers = Triggers(self)
        self.requests = TimerRequests(self)
        self._writes = RegisterWrites(self)
        self._alarm = machine.alarm(self._on_alarm)
        tree.listeners.append(self._before_clock_change)
        machine.freeze.watchers.append((self.sync, self._after_stop))
        self.reset()

    def reset(self) -> None:
        super().reset()
        self.counter = Counter(self.model.mask)
        self.flags = 0
        for part in (self.outputs, self.inputs, self.triggers, self.requests):
            part.reset()
        self._ticks.skip(self.machine.clock.now_fs)
        self._alarm.set(None)
        self.update_line()

    @property
    def clocked(self) -> bool:
        """RCC feeds the timer: without its clock it stands still."""
        return self._clocked

    @clocked.setter
    def clocked(self, clocked: bool) -> None:
        if clocked != self._clocked:
            self.sync()
            self._clocked = clocked
            self._after_stop()

    @property
    def interested(self) -> bool:
        """Something waits for an event of this timer, or for one that it passes on."""
        return bool(self.registers.get(r.TIM_DIER, 0) or self.triggers.wanted_events)

    def read(self, offset: int) -> int:
        self.sync()
        if offset in r.CCR_OFFSETS:
            return self._read_compare(r.CCR_OFFSETS.index(offset))
        match offset:
            case r.TIM_SR:
                return self.flags
            case r.TIM_EGR:
                return 0
            case r.TIM_CNT:
                copy = self.registers.get(r.TIM_CR1, 0) & r.TIM_CR1_UIFREMAP and self.flags & r.TIM_SR_UIF
                return self.counter.count | (_CNT_UIFCPY if copy else 0)
            case r.TIM_CR1:
                return self._control()
            case r.TIM_ARR:
                return self.counter.wanted_reload
            case r.TIM_DMAR if r.TIM_DCR in self.model.masks:
                return self.read(self.requests.burst_register())
        return self.registers.get(offset, 0)

    def peek(self, offset: int) -> int:
        if offset in (r.TIM_EGR, r.TIM_DMAR):
            return 0
        if offset in r.CCR_OFFSETS:
            return self.registers.get(offset, 0)
        return self.read(offset) & self.model.mask if offset == r.TIM_CNT else self.read(offset)

    def write(self, offset: int, value: int) -> None:
        self.sync()
        if offset == r.TIM_DMAR and r.TIM_DCR in self.model.masks:
            offset = self.requests.burst_register()
        self._writes.write(offset, value)
        self.update_line()
        self._rearm()

    def drive(self, pin: str, level: bool) -> None:
        """The host, or a GPIO, sets one of the timer's pins: CH1 to CH4, ETR, BKIN or BKIN2."""
        self.sync()
        self.inputs.drive(pin, level)
        self.update_line()
        self._rearm()

    def output(self, channel: int) -> bool | None:
        """The level that the timer drives at CHx, from 1; None when it leaves the pin alone."""
        self.sync()
        return self.outputs.pin(channel - 1)

    def sync(self) -> None:
        """Counts up to the present."""
        self._sync_to(self.machine.clock.now_fs)

    def _sync_to(self, at_fs: int) -> None:
        if self._syncing:
            return  # two timers that drive each other
        self._syncing = True
        try:
            master = self.triggers.master
            if master is not None:
                master._sync_to(at_fs)
            self.count_to(at_fs)
        finally:
            self._syncing = False

    def count_to(self, at_fs: int) -> None:
        """Counts the own clock up to `at_fs`, in single events where their order matters."""
        moves = self.counter.running and self._clocked and self.triggers.counts_own_clock
        if not moves or self.machine.freeze.frozen(self.model.apb, self.model.freeze_bit):
            self._ticks.skip(at_fs)
            return
        left = self._ticks.elapsed(at_fs)
        stepwise = left and (self.registers.get(r.TIM_DIER, 0) & r.TIM_DIER_DMA or self.triggers.needs_order)
        while left > 0:
            used, events = self.counter.advance(left, stop_at_event=bool(stepwise))
            self._ticks.take(used)
            left -= used
            if events.any:
                self._on_events(events, self._ticks.time_fs())

    def count_pulses(self, pulses: int, at_fs: int) -> None:
        """External clock: `pulses` edges arrived."""
        if self._clocked and self.counter.running:
            self._on_events(self.counter.advance(pulses)[1], at_fs)

    def count_encoder(self, down: bool) -> None:
        """One edge of an encoder."""
        if self._clocked:
            self._on_events(self.counter.tick(down), self.machine.clock.now_fs)

    def restart(self, at_fs: int) -> None:
        """EGR.UG, or a reset by the trigger (RM0385 22.3.1): UIF unless URS or UDIS hold it back."""
        self.counter.restart()
        control = self.registers.get(r.TIM_CR1, 0)
        updated = not control & r.TIM_CR1_UDIS
        if updated and not control & r.TIM_CR1_URS:
            self.flags |= r.TIM_SR_UIF
            self.requests.on_update()
        self.triggers.on_software_update(updated, at_fs)

    def enable(self, at_fs: int) -> None:
        """CEN is set, by firmware or by a trigger."""
        self.counter.running = True
        self.triggers.send_level(at_fs)

    def update_line(self) -> None:
        """Interrupt lines follow flags and enables; the second break uses the first one's enable."""
        flags = self.flags | (r.TIM_SR_BIF if self.flags & r.TIM_SR_B2IF else 0)
        wanted = flags & self.registers.get(r.TIM_DIER, 0)
        for mask, irq in self.model.lines:
            self.machine.lines.set(irq, self.name, bool(wanted & mask & 0xFF))

    def _on_events(self, events: Events, at_fs: int) -> None:
        if events.updates:
            self.flags |= r.TIM_SR_UIF
            if self.registers.get(r.TIM_BDTR, 0) & r.TIM_BDTR_AOE:
                self.registers[r.TIM_BDTR] |= r.TIM_BDTR_MOE
        self._flag_matches(events)
        self.requests.on_events(events)
        self.triggers.on_events(events, at_fs)
        self.update_line()

    def _flag_matches(self, events: Events) -> None:
        for channel, count in enumerate(events.matches):
            if count and self.outputs.is_output(channel):
                if channel < self.model.channels:
                    self.flags |= r.TIM_SR_CC1IF << channel
                elif channel >= 4 and self.model.advanced:
                    self.flags |= r.TIM_SR_CC5IF << (channel - 4)
        self.outputs.on_matches(events.matches)

    def _read_compare(self, channel: int) -> int:
        """Reading a capture clears its flag (RM0385 22.4.5)."""
        if channel < 4 and not self.outputs.is_output(channel):
            self.flags &= ~(r.TIM_SR_CC1IF << channel)
            self.update_line()
        return self.registers.get(r.CCR_OFFSETS[channel], 0)

    def _control(self) -> int:
        value = self.registers.get(r.TIM_CR1, 0) & ~(r.TIM_CR1_CEN | r.TIM_CR1_DIR)
        value |= r.TIM_CR1_CEN if self.counter.running else 0
        return value | (r.TIM_CR1_DIR if self.counter.down else 0)

    def _rearm(self) -> None:
        self.arm()
        for timer in self.triggers.masters:
            timer.arm()

    def arm(self) -> None:
        """Wakes at the next event that somebody waits for."""
        frozen = self.machine.freeze.frozen(self.model.apb, self.model.freeze_bit)
        if not self._clocked or frozen or not self.triggers.counts_own_clock:
            self._alarm.set(None)
            return
        wanted = self.triggers.wanted_events | self._enabled_events()
        waits = [self.counter.clocks_until_update()] if wanted & r.TIM_SR_UIF else []
        for channel in range(self.model.channels):
            if wanted & r.TIM_SR_CC1IF << channel and self.outputs.is_output(channel):
                waits.append(self.counter.clocks_until_match(channel))
        clocks = [wait for wait in waits if wait is not None]
        self._alarm.set(self._ticks.time_fs(min(clocks)) if clocks else None)

    def _enabled_events(self) -> int:
        """UIF and CCxIF that an interrupt or a DMA request is enabled for, and that are not set yet."""
        dier = self.registers.get(r.TIM_DIER, 0)
        wanted = dier & 0x1F & ~self.flags | dier >> 8 & 0x1F
        if dier & 0x1E00 and self.registers.get(r.TIM_CR2, 0) & r.TIM_CR2_CCDS:
            wanted |= r.TIM_SR_UIF
        return wanted

    def _on_alarm(self) -> None:
        self.sync()
        self.arm()

    def _after_stop(self) -> None:
        """A stop began or ended, counted up to: what passed meanwhile is lost."""
        self._ticks.skip(self.machine.clock.now_fs)
        self.arm()

    def _before_clock_change(self) -> None:
        self.sync()
        self.machine.tree.after_change.append(self._after_clock_change)

    def _after_clock_change(self) -> None:
        self._ticks.rebase(self.machine.clock.now_fs)
        self.arm()
