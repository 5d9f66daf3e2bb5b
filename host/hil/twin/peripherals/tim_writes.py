"""What writing a timer's registers does: preloads, software events, locks (RM0385 22.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hil.twin.peripherals import tim_registers as r

if TYPE_CHECKING:
    from hil.twin.peripherals.tim import Timer

_OCXPE = 1 << 3
_OIS = 0x0005_7F00
_LOCK1_BDTR = 0x03FF_F0FF & ~r.TIM_BDTR_MOE
_OSSX = 0xC00
_POLARITIES = 0x0022_AAAA
_COMPARE_MODE = 0x1_0078


class RegisterWrites:
    """Takes writes for one timer; the timer has been counted up to now."""

    def __init__(self, timer: Timer) -> None:
        self._timer = timer

    def write(self, offset: int, value: int) -> None:
        """Stores `value` as far as the register has it, with its effects."""
        timer, model = self._timer, self._timer.model
        if offset == r.TIM_SR:
            timer.flags &= value
        elif offset == r.TIM_EGR:
            self._generate(value)
        elif offset == r.TIM_CNT:
            timer.counter.count = value & model.mask
        elif offset in r.CCR_OFFSETS:
            self._write_compare(r.CCR_OFFSETS.index(offset), value)
        elif offset == r.TIM_OR:
            timer.registers[offset] = value & model.options
        elif offset in model.masks:
            self._store(offset, value & model.masks[offset])

    def _store(self, offset: int, value: int) -> None:
        timer, counter = self._timer, self._timer.counter
        match offset:
            case r.TIM_CR1:
                self._write_control(value)
                return
            case r.TIM_CCMR1 | r.TIM_CCMR2 | r.TIM_CCMR3:
                self._write_modes(offset, value)
                return
            case r.TIM_PSC:
                counter.wanted_prescaler = value
            case r.TIM_RCR:
                counter.wanted_repetition = value
            case r.TIM_ARR:
                counter.wanted_reload = value & timer.model.mask
                if not timer.registers.get(r.TIM_CR1, 0) & r.TIM_CR1_ARPE:
                    counter.reload = counter.wanted_reload
            case r.TIM_CR2 | r.TIM_CCER | r.TIM_BDTR:
                value = self._locked(offset, value)
        timer.registers[offset] = value
        if offset == r.TIM_CR2:
            timer.triggers.send_level(timer.machine.clock.now_fs)
        elif offset == r.TIM_DIER:
            timer.requests.take_back(value)
        elif offset == r.TIM_SMCR:
            timer.triggers.set_gate()

    def _write_control(self, value: int) -> None:
        timer, counter = self._timer, self._timer.counter
        timer.registers[r.TIM_CR1] = value
        counter.update_disabled = bool(value & r.TIM_CR1_UDIS)
        counter.one_pulse = bool(value & r.TIM_CR1_OPM)
        counter.centre = value >> r.TIM_CR1_CMS_SHIFT & 3
        if not counter.centre and timer.triggers.mode not in (1, 2, 3):
            counter.down = bool(value & r.TIM_CR1_DIR)
        if not value & r.TIM_CR1_ARPE:
            counter.reload = counter.wanted_reload
        now_fs = timer.machine.clock.now_fs
        if value & r.TIM_CR1_CEN:
            timer.enable(now_fs)
        else:
            counter.running = False
            timer.triggers.send_level(now_fs)

    def _write_modes(self, offset: int, value: int) -> None:
        """CCxS can be written while the channel is off; modes of an output can be locked (LOCK 3)."""
        timer, old = self._timer, self._timer.registers.get(offset, 0)
        timer.outputs.keep()
        first = {r.TIM_CCMR1: 0, r.TIM_CCMR2: 2, r.TIM_CCMR3: 4}[offset]
        for half in range(2):
            keep = 0
            if timer.registers.get(r.TIM_CCER, 0) >> 4 * (first + half) & 1:
                keep |= 3
            if self._lock >= 3 and timer.outputs.is_output(first + half):
                keep |= _COMPARE_MODE
            keep <<= 8 * half
            value = value & ~keep | old & keep
        timer.registers[offset] = value
        timer.triggers.refresh()
        for channel in (first, first + 1):
            if not self._preloaded(channel):
                timer.counter.compare[channel] = timer.counter.wanted_compare[channel]
        timer.triggers.send_level(timer.machine.clock.now_fs)

    def _write_compare(self, channel: int, value: int) -> None:
        timer = self._timer
        exists = channel < timer.model.channels or (channel >= 4 and timer.model.advanced)
        if not exists or not timer.outputs.is_output(channel):
            return  # a capture register is read-only
        offset = r.CCR_OFFSETS[channel]
        grouping = 0xE000_0000 if offset == r.TIM_CCR5 else 0
        timer.registers[offset] = value & (timer.model.mask | grouping)
        timer.counter.wanted_compare[channel] = value & timer.model.mask
        if not self._preloaded(channel):
            timer.counter.compare[channel] = value & timer.model.mask
        timer.triggers.send_level(timer.machine.clock.now_fs)

    def _preloaded(self, channel: int) -> bool:
        outputs = self._timer.outputs
        return outputs.is_output(channel) and bool(outputs.settings(channel) & _OCXPE)

    @property
    def _lock(self) -> int:
        return self._timer.registers.get(r.TIM_BDTR, 0) >> r.TIM_BDTR_LOCK_SHIFT & 3

    def _locked(self, offset: int, value: int) -> int:
        """BDTR.LOCK protects more with each level, until the next reset (RM0385 22.4.18)."""
        lock, old = self._lock, self._timer.registers.get(offset, 0)
        keep = 0
        if offset == r.TIM_BDTR:
            keep = 0x300 if lock else 0
            keep |= _LOCK1_BDTR if lock >= 1 else 0
            keep |= _OSSX if lock >= 2 else 0
        elif offset == r.TIM_CR2 and lock >= 1:
            keep = _OIS
        elif offset == r.TIM_CCER and lock >= 2:
            keep = _POLARITIES
        return value & ~keep | old & keep

    def _generate(self, value: int) -> None:
        """EGR: events by software."""
        timer, now_fs = self._timer, self._timer.machine.clock.now_fs
        if value & r.TIM_EGR_UG:
            timer.restart(now_fs)
        for channel in range(timer.model.channels):
            if value & r.TIM_EGR_CC1G << channel:
                if timer.outputs.is_output(channel):
                    timer.flags |= r.TIM_SR_CC1IF << channel
                    timer.requests.on_compare(channel)
                else:
                    timer.inputs.capture_now(channel)
        if value & r.TIM_EGR_TG and r.TIM_SMCR in timer.model.masks:
            timer.triggers.flag_trigger()
        if timer.model.advanced:
            if value & r.TIM_EGR_COMG:
                timer.flags |= r.TIM_SR_COMIF
                timer.requests.on_commutation()
            for event, flag in ((r.TIM_EGR_BG, r.TIM_SR_BIF), (r.TIM_EGR_B2G, r.TIM_SR_B2IF)):
                if value & event:
                    timer.triggers.break_outputs(flag)
