"""Inputs of a timer (RM0385 22.3.5 to 22.3.7, 22.3.15, 22.3.18): pins, edges, captures, encoder.

Input filters are not modelled: an edge counts when it comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hil.twin.peripherals import tim_registers as r

if TYPE_CHECKING:
    from hil.twin.peripherals.tim import Timer

PINS = ("CH1", "CH2", "CH3", "CH4", "ETR", "BKIN", "BKIN2")
_FROM_OWN, _FROM_OTHER, _FROM_TRC = 1, 2, 3


class Inputs:
    """Levels at the timer's pins, as the host or a GPIO drives them."""

    def __init__(self, timer: Timer) -> None:
        self._timer = timer
        self.levels = dict.fromkeys(PINS, False)
        self.reset()

    def reset(self) -> None:
        self._skipped = [0] * 4
        """Edges that ICxPSC has swallowed since the last capture."""
        self._etr_edges = 0

    def drive(self, pin: str, level: bool) -> None:
        """Sets a pin; the timer has been counted up to now."""
        if self.levels[pin] == level:
            return
        before = [self.level(channel) for channel in range(4)]
        self.levels[pin] = level
        if pin.startswith("BKIN"):
            self._timer.triggers.on_break_pin(pin, level)
        elif pin == "ETR":
            self._on_etr(level)
        for channel in range(4):
            if self.level(channel) != before[channel]:
                self._on_edge(channel, self.level(channel))

    def level(self, channel: int) -> bool:
        """TIx from 0; TI1 is the XOR of three pins with CR2.TI1S, as for Hall sensors."""
        if channel == 0 and self._timer.registers.get(r.TIM_CR2, 0) & r.TIM_CR2_TI1S:
            return self.levels["CH1"] ^ self.levels["CH2"] ^ self.levels["CH3"]
        return self.levels[PINS[channel]]

    def on_trc(self) -> None:
        """A trigger edge that channels with CCxS = 3 capture on."""
        for channel in range(self._timer.model.channels):
            if self._timer.outputs.settings(channel) & 3 == _FROM_TRC:
                self._capture(channel)

    def capture_now(self, channel: int) -> None:
        """The count goes into CCRx, by an edge or by EGR.CCxG."""
        timer = self._timer
        timer.registers[r.CCR_OFFSETS[channel]] = timer.counter.count
        flag = r.TIM_SR_CC1IF << channel
        if timer.flags & flag:
            timer.flags |= r.TIM_SR_CC1OF << channel
        timer.flags |= flag
        timer.requests.on_compare(channel)

    def _on_edge(self, source: int, level: bool) -> None:
        timer = self._timer
        for channel in range(timer.model.channels):
            chosen = timer.outputs.settings(channel) & 3
            mine = {_FROM_OWN: channel, _FROM_OTHER: channel ^ 1}.get(chosen) == source
            if mine and self._edge_counts(channel, level):
                self._capture(channel)
        if source < 2:
            timer.triggers.on_input(source, level, self._edge_counts(source, level))

    def _edge_counts(self, channel: int, level: bool) -> bool:
        """CCxNP CCxP: 00 rising, 01 falling, 11 both."""
        bits = self._timer.registers.get(r.TIM_CCER, 0) >> 4 * channel & 0xA
        return bits == 0xA or level == (bits == 0)

    def _capture(self, channel: int) -> None:
        if not self._timer.registers.get(r.TIM_CCER, 0) >> 4 * channel & 1:
            self._skipped[channel] = 0  # the prescaler starts anew with CCxE
            return
        every = 1 << (self._timer.outputs.settings(channel) >> 2 & 3)
        self._skipped[channel] += 1
        if self._skipped[channel] >= every:
            self._skipped[channel] = 0
            self.capture_now(channel)

    def _on_etr(self, level: bool) -> None:
        smcr = self._timer.registers.get(r.TIM_SMCR, 0)
        if level == bool(smcr & r.TIM_SMCR_ETP):
            self._timer.triggers.on_etr(False)
            return
        self._etr_edges += 1
        if self._etr_edges >= 1 << (smcr >> r.TIM_SMCR_ETPS_SHIFT & 3):
            self._etr_edges = 0
            self._timer.triggers.on_etr(True)
