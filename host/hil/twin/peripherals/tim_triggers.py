"""Timers that drive timers (RM0385 22.3.24, 23.3.19): TRGO, trigger inputs, slave modes, break."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hil.twin.peripherals import tim_registers as r
from hil.twin.peripherals.tim_counter import Events

if TYPE_CHECKING:
    from hil.twin.peripherals.tim import Timer

_RESET, _GATED, _TRIGGER, _EXTERNAL_CLOCK, _RESET_AND_TRIGGER = 4, 5, 6, 7, 8
_ENCODERS = (1, 2, 3)
_TI1F_ED, _TI1FP1, _TI2FP2, _ETRF = 4, 5, 6, 7
_MMS_RESET, _MMS_ENABLE, _MMS_UPDATE, _MMS_PULSE, _MMS_OC1REF = 0, 1, 2, 3, 4


class Triggers:
    """One timer's trigger controller: who drives it, and whom it drives."""

    def __init__(self, timer: Timer) -> None:
        self._timer = timer
        self.masters: tuple[Timer, ...] = ()
        self.followers: list[Timer] = []
        """Timers that have this one on one of their ITRx."""
        self.listeners: list[Timer] = []
        """Followers that have chosen this timer."""
        self.master: Timer | None = None
        """The timer whose TRGO this one listens to."""
        self.mode = 0
        """SMS, four bits; 0 without a slave controller."""
        self.source = 0
        """TS: what TRGI is."""
        self._gate = False
        self._sent = False
        """The level of TRGO that followers know, where it has one."""

    def reset(self) -> None:
        self._gate = self._sent = False
        self.refresh()

    def refresh(self) -> None:
        """Takes mode, source and master from SMCR and CCMRx; they are looked at too often to decode."""
        smcr = self._timer.registers.get(r.TIM_SMCR, 0)
        self.mode = smcr & 7 | (8 if smcr & r.TIM_SMCR_SMS_3 else 0)
        self.source = smcr >> r.TIM_SMCR_TS_SHIFT & 7
        listens = self.source < len(self.masters) and (self.mode or self._captures_trc)
        master = self.masters[self.source] if listens else None
        if master is not self.master:
            if self.master is not None:
                self.master.triggers.listeners.remove(self._timer)
                self.master.arm()
            if master is not None:
                master.triggers.listeners.append(self._timer)
            self.master = master

    @property
    def _captures_trc(self) -> bool:
        outputs, channels = self._timer.outputs, range(self._timer.model.channels)
        return any(outputs.settings(channel) & 3 == 3 for channel in channels)

    @property
    def counts_own_clock(self) -> bool:
        """The counter runs on the timer's clock, and no gate holds it."""
        if self.mode == _EXTERNAL_CLOCK or self.mode in _ENCODERS:
            return False
        if self._timer.registers.get(r.TIM_SMCR, 0) & r.TIM_SMCR_ECE:
            return False
        return self.mode != _GATED or self._gate

    @property
    def needs_order(self) -> bool:
        """Some listener cares for the moment of each event, not only for their number."""
        return bool(self.listeners) and any(
            timer.triggers.mode != _EXTERNAL_CLOCK
            or timer.triggers.needs_order
            or self._output >= _MMS_OC1REF
            for timer in self.listeners
        )

    @property
    def _output(self) -> int:
        """MMS; a timer without TRGO puts its OC1 there (RM0385 table 151)."""
        if r.TIM_CR2 not in self._timer.model.masks:
            return _MMS_OC1REF
        return self._timer.registers.get(r.TIM_CR2, 0) >> r.TIM_CR2_MMS_SHIFT & 7

    @property
    def wanted_events(self) -> int:
        """Events that an interested listener waits for: UIF and CCxIF of this timer."""
        if not self.listeners or not any(timer.interested for timer in self.listeners):
            return 0
        output = self._output
        if output in (_MMS_ENABLE, _MMS_UPDATE):
            return r.TIM_SR_UIF
        if output == _MMS_PULSE:
            return r.TIM_SR_CC1IF
        return 0 if output == _MMS_RESET else r.TIM_SR_UIF | r.TIM_SR_CC1IF << (output - _MMS_OC1REF)

    def on_events(self, events: Events, at_fs: int) -> None:
        """This timer counted: TRGO follows."""
        if not self.followers:
            return
        output = self._output
        if output == _MMS_UPDATE and events.updates:
            self._pulse(events.updates, at_fs)
        elif output == _MMS_PULSE and events.matches[0]:
            self._pulse(events.matches[0], at_fs)
        self.send_level(at_fs)

    def on_software_update(self, updated: bool, at_fs: int) -> None:
        """EGR.UG, or a reset by the trigger."""
        if self._output == _MMS_RESET or (self._output == _MMS_UPDATE and updated):
            self._pulse(1, at_fs)

    def send_level(self, at_fs: int) -> None:
        """Tells listeners when TRGO, as the enable or an OCxREF, has changed."""
        if self._output != _MMS_ENABLE and self._output < _MMS_OC1REF:
            return
        level = self.level
        if level != self._sent:
            self._sent = level
            for timer in self.listeners:
                timer.triggers.on_trigger(1 if level else 0, level, at_fs)

    def set_gate(self) -> None:
        """SMCR was written: a gated counter starts with the level its trigger has now."""
        self.refresh()
        master, source = self.master, self.source
        if master is not None:
            self._gate = master.triggers.level
        elif source in (_TI1FP1, _TI2FP2):
            self._gate = self._timer.inputs.level(source - _TI1FP1)
        else:
            self._gate = self._timer.inputs.levels["ETR"]

    @property
    def level(self) -> bool:
        """TRGO where it is a level."""
        output = self._output
        if output >= _MMS_OC1REF:
            return self._timer.outputs.ref(output - _MMS_OC1REF)
        return output == _MMS_ENABLE and self._timer.counter.running

    def _pulse(self, count: int, at_fs: int) -> None:
        for timer in self.listeners:
            timer.triggers.on_trigger(count, None, at_fs)

    def on_trigger(self, rises: int, level: bool | None, at_fs: int) -> None:
        """TRGI rose `rises` times; `level` is where it stays, None when it fell back at once."""
        timer, mode = self._timer, self.mode
        timer.count_to(at_fs)
        if mode == _GATED:
            self._gate = bool(level)
        if self.source < _TI1FP1 and rises:
            timer.inputs.on_trc()
        if mode in _ENCODERS or not mode or not (rises or mode == _GATED):
            timer.update_line()
            return
        if mode in (_RESET, _RESET_AND_TRIGGER):
            timer.restart(at_fs)
        if mode in (_TRIGGER, _RESET_AND_TRIGGER):
            timer.enable(at_fs)
        if mode == _EXTERNAL_CLOCK:
            timer.count_pulses(rises, at_fs)
        self.flag_trigger()

    def flag_trigger(self) -> None:
        """TIF, and its DMA request."""
        self._timer.flags |= r.TIM_SR_TIF
        self._timer.requests.on_trigger()
        self._timer.update_line()

    def on_input(self, channel: int, level: bool, counts: bool) -> None:
        """TI1 or TI2 changed; `counts` when its polarity makes this an active edge."""
        if self.mode in _ENCODERS:
            self._encode(channel, level)
        elif self.source == _TI1F_ED and channel == 0:
            self.on_trigger(1, None, self._timer.machine.clock.now_fs)
        elif self.source == _TI1FP1 + channel:
            self.on_trigger(int(counts), counts, self._timer.machine.clock.now_fs)

    def on_etr(self, rose: bool) -> None:
        """ETRF changed."""
        now_fs = self._timer.machine.clock.now_fs
        if self._timer.registers.get(r.TIM_SMCR, 0) & r.TIM_SMCR_ECE:
            self._timer.count_pulses(int(rose), now_fs)
        if self.source == _ETRF and self.mode:
            self.on_trigger(int(rose), rose, now_fs)

    def on_break_pin(self, pin: str, level: bool) -> None:
        """A break input: active by BKP, heard with BKE (RM0385 22.3.16)."""
        second = pin == "BKIN2"
        enable, polarity, flag = (
            (r.TIM_BDTR_BK2E, r.TIM_BDTR_BK2P, r.TIM_SR_B2IF)
            if second
            else (r.TIM_BDTR_BKE, r.TIM_BDTR_BKP, r.TIM_SR_BIF)
        )
        bdtr = self._timer.registers.get(r.TIM_BDTR, 0)
        if bdtr & enable and level == bool(bdtr & polarity):
            self.break_outputs(flag)

    def break_outputs(self, flag: int) -> None:
        """Break: the outputs go off."""
        timer = self._timer
        timer.registers[r.TIM_BDTR] = timer.registers.get(r.TIM_BDTR, 0) & ~r.TIM_BDTR_MOE
        timer.flags |= flag
        timer.update_line()

    def _encode(self, channel: int, level: bool) -> None:
        """Quadrature (RM0385 table 145): the edge of one input against the level of the other."""
        if not self.mode >> channel & 1:
            return
        other = self._timer.inputs.level(channel ^ 1)
        ccer = self._timer.registers.get(r.TIM_CCER, 0)
        level ^= bool(ccer >> 4 * channel & 2)
        other ^= bool(ccer >> 4 * (channel ^ 1) & 2)
        self._timer.count_encoder(down=(level == other) == (channel == 0))
