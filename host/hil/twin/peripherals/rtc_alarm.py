"""When an alarm of the RTC goes off (RM0385 29.3.6, 29.6.7, 29.6.17)."""

from __future__ import annotations

from dataclasses import dataclass

from hil.twin.peripherals.rtc_calendar import SECONDS_PER_DAY, Moment, bcd, time_fields

MSK1, MSK2, MSK3, MSK4 = 1 << 7, 1 << 15, 1 << 23, 1 << 31
WDSEL = 1 << 30
_SECOND_FIELD, _MINUTE_FIELD, _HOUR_FIELD, _DAY_FIELD = 0x7F, 0x7F00, 0x7F_0000, 0x3F00_0000
_STEPS_MAX = 300
"""Days of two months, hours, minutes and seconds: a search that takes longer finds nothing."""


@dataclass(frozen=True)
class AlarmTime:
    """One alarm as firmware wrote it: ALRMxR, ALRMxSSR and the format of hours."""

    register: int
    sub_seconds: int
    twelve_hours: bool

    def next_tick(self, start: Moment, after_tick: int, ticks_per_second: int) -> int | None:
        """The first tick after `after_tick` at which the alarm matches; None when it never does.

        Ticks count from `start` on, at the rate of the asynchronous prescaler.
        """
        second, tick = divmod(after_tick + 1, ticks_per_second)
        for _ in range(3):
            found = self._next_second(start, second)
            if found is None:
                return None
            offset = self._tick_in_second(tick if found == second else 0, ticks_per_second)
            if offset is not None:
                return found * ticks_per_second + offset
            second, tick = found + 1, 0
        return None

    def _next_second(self, start: Moment, second: int) -> int | None:
        for _ in range(_STEPS_MAX):
            moment = start.plus(second)
            step = self._mismatch(moment)
            if step == 0:
                return second
            second += step - moment.second % step
        return None

    def _mismatch(self, moment: Moment) -> int:
        """Seconds of the coarsest unit that does not match, 0 when all do."""
        time = time_fields(moment.second, self.twelve_hours)
        day = moment.weekday if self.register & WDSEL else bcd(moment.date.day)
        checks = (
            (MSK4, _DAY_FIELD, day << 24, SECONDS_PER_DAY),
            (MSK3, _HOUR_FIELD, time, 3600),
            (MSK2, _MINUTE_FIELD, time, 60),
            (MSK1, _SECOND_FIELD, time, 1),
        )
        for mask, field, value, unit in checks:
            if not self.register & mask and (self.register ^ value) & field:
                return unit
        return 0

    def _tick_in_second(self, first: int, ticks_per_second: int) -> int | None:
        """SSR counts down from PREDIV_S; MASKSS says how many of its low bits are compared."""
        compared = self.sub_seconds >> 24 & 0xF
        if compared == 0:
            return 0 if first == 0 else None
        modulus = 1 << compared
        wanted = (ticks_per_second - 1 - (self.sub_seconds & 0x7FFF)) % modulus
        offset = first + (wanted - first) % modulus
        return offset if offset < ticks_per_second else None
