"""Compare outputs of a timer (RM0385 22.3.9 to 22.3.14): OCxREF, and the level at the pin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hil.twin.peripherals import tim_registers as r
from hil.twin.peripherals.tim_counter import CHANNELS

if TYPE_CHECKING:
    from hil.twin.peripherals.tim import Timer

_ACTIVE, _INACTIVE, _TOGGLE, _FORCE_OFF, _FORCE_ON, _PWM1, _PWM2 = 1, 2, 3, 4, 5, 6, 7
_RETRIGGERABLE1, _RETRIGGERABLE2, _COMBINED1, _COMBINED2, _ASYMMETRIC1, _ASYMMETRIC2 = 8, 9, 12, 13, 14, 15
_AS_PWM1 = (_PWM1, _RETRIGGERABLE1, _COMBINED1, _ASYMMETRIC1)
_AS_PWM2 = (_PWM2, _RETRIGGERABLE2, _COMBINED2, _ASYMMETRIC2)


class Outputs:
    """OCxREF of all channels: kept where matches change it, computed where it follows the count."""

    def __init__(self, timer: Timer) -> None:
        self._timer = timer
        self.reset()

    def reset(self) -> None:
        self._kept = [False] * CHANNELS

    def settings(self, channel: int) -> int:
        """The channel's half of its CCMR: CCxS in bits 1:0, OCxPE in 3, OCxM in 6:4 and 16."""
        register = (r.TIM_CCMR1, r.TIM_CCMR2, r.TIM_CCMR3)[channel // 2]
        return self._timer.registers.get(register, 0) >> 8 * (channel & 1) & 0x1_00FF

    def is_output(self, channel: int) -> bool:
        """CCxS is 0: the channel compares."""
        return not self.settings(channel) & 3

    def mode(self, channel: int) -> int:
        """OCxM, four bits."""
        settings = self.settings(channel)
        return settings >> 4 & 7 | settings >> 13 & 8

    def on_matches(self, matches: list[int]) -> None:
        """The counter met compare values so many times."""
        for channel, count in enumerate(matches):
            if not count or not self.is_output(channel):
                continue
            mode = self.mode(channel)
            if mode in (_ACTIVE, _INACTIVE):
                self._kept[channel] = mode == _ACTIVE
            elif mode == _TOGGLE:
                self._kept[channel] ^= bool(count & 1)

    def keep(self) -> None:
        """Modes are about to change: frozen outputs hold the level they have."""
        self._kept = [self._ref(channel) for channel in range(CHANNELS)]

    def ref(self, channel: int) -> bool:
        """OCxREF, with its neighbour's where the mode combines the two (RM0385 22.3.12, 22.3.13)."""
        own, mode = self._ref(channel), self.mode(channel)
        if mode < _COMBINED1:
            return own
        other = self._ref(channel ^ 1)
        if mode == _COMBINED1:
            return own or other
        if mode == _COMBINED2:
            return own and other
        return other if self._timer.counter.down else own

    def pin(self, channel: int) -> bool | None:
        """The level that OCx drives, None where it drives none (CCxE, MOE)."""
        timer = self._timer
        enable = timer.registers.get(r.TIM_CCER, 0) >> 4 * channel
        if not enable & 1 or not self.is_output(channel):
            return None
        if timer.model.advanced and not timer.registers.get(r.TIM_BDTR, 0) & r.TIM_BDTR_MOE:
            return None
        return self.ref(channel) != bool(enable & 2)

    def _ref(self, channel: int) -> bool:
        mode = self.mode(channel)
        if mode in (_FORCE_OFF, _FORCE_ON):
            return mode == _FORCE_ON
        if mode in _AS_PWM1:
            return self._timer.counter.level_of_pwm(channel)
        if mode in _AS_PWM2:
            return not self._timer.counter.level_of_pwm(channel)
        return self._kept[channel]
