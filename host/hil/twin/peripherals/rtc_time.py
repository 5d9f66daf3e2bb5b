"""The RTC's counters: prescalers, calendar, wake-up timer and alarms, all in cycles of RTCCLK."""

from __future__ import annotations

from hil.twin.clock import Clock
from hil.twin.peripherals.rtc_alarm import AlarmTime
from hil.twin.peripherals.rtc_calendar import Moment
from hil.twin.peripherals.rtc_clock import RtcClock

WUCKSEL_SECONDS = 4
WUCKSEL_LONG = 2


class RtcTime:
    """Where the calendar is, and when what is due; `due` cycles are None for what is off."""

    def __init__(self, clock: Clock) -> None:
        self.clock = RtcClock(clock)
        self.clear()

    def clear(self) -> None:
        """1 January of year 0, midnight, prescalers for 32.768 kHz."""
        self.prediv_a, self.prediv_s = 0x7F, 0xFF
        self._moment = Moment()
        self._zero = self.clock.cycles
        """The cycle at which the calendar was, or will be, at `_moment`."""
        self._frozen = False
        self.wakeup_due: int | None = None
        self._wakeup_period = 1
        self.alarm_due: list[int | None] = [None, None]

    @property
    def now(self) -> Moment:
        """The calendar."""
        return self._moment.plus(self._ticks // (self.prediv_s + 1))

    @property
    def sub_second(self) -> int:
        """SSR: counts down to the end of the second."""
        return self.prediv_s - self._ticks % (self.prediv_s + 1)

    @property
    def _ticks(self) -> int:
        """Counts of the asynchronous prescaler since `_zero`."""
        if self._frozen:
            return 0
        return max(0, self.clock.cycles - self._zero) // (self.prediv_a + 1)

    def freeze(self) -> None:
        """The initialization mode stops the calendar and clears the prescalers."""
        if not self._frozen:
            self._moment, self._frozen = self.now, True

    def restart(self, moment: Moment, delay_cycles: int) -> None:
        """The calendar runs on from `moment`, `delay_cycles` from now."""
        self._moment, self._zero, self._frozen = moment, self.clock.cycles + delay_cycles, False

    def set(self, moment: Moment) -> None:
        """Firmware wrote TR or DR in initialization mode."""
        self._moment = moment

    @property
    def held(self) -> Moment:
        """What a partial write in initialization mode changes."""
        return self._moment

    def shift(self, ticks: int) -> None:
        """SHIFTR: the calendar jumps by counts of the asynchronous prescaler."""
        self._zero -= ticks * (self.prediv_a + 1)

    def add_hours(self, hours: int) -> None:
        """ADD1H, SUB1H: summer time and back."""
        self._moment = self._moment.plus(3600 * hours)

    def start_wakeup(self, select: int, reload: int) -> None:
        """The wake-up timer counts `reload` + 1 periods of RTCCLK / 16 to / 2, or seconds."""
        now = self.clock.cycles
        if select < WUCKSEL_SECONDS:
            self._wakeup_period = (16 >> select) * (reload + 1)
            self.wakeup_due = now + self._wakeup_period
            return
        second = (self.prediv_a + 1) * (self.prediv_s + 1)
        counts = reload + 1 + (0x1_0000 if select & WUCKSEL_LONG else 0)
        self._wakeup_period = counts * second
        # It counts the calendar's own seconds, so the first one is as long as what is left of it.
        self.wakeup_due = now + counts * second - (now - self._zero) % second

    def stop_wakeup(self) -> None:
        """WUTE is cleared."""
        self.wakeup_due = None

    def plan_alarm(self, index: int, alarm: AlarmTime | None) -> None:
        """When alarm A (0) or B (1) is due next; None switches it off."""
        self.alarm_due[index] = None
        if alarm is None or self._frozen:
            return
        after = self._ticks if self.clock.cycles >= self._zero else -1
        tick = alarm.next_tick(self._moment, after, self.prediv_s + 1)
        if tick is not None:
            self.alarm_due[index] = self._zero + tick * (self.prediv_a + 1)

    def take_wakeup(self) -> bool:
        """Whether the wake-up timer ran out since the last look; it reloads by itself."""
        now = self.clock.cycles
        if self.wakeup_due is None or now < self.wakeup_due:
            return False
        periods = (now - self.wakeup_due) // self._wakeup_period + 1
        self.wakeup_due += periods * self._wakeup_period
        return True

    def take_alarm(self, index: int) -> bool:
        """Whether the alarm was due; it has to be planned again then."""
        due = self.alarm_due[index]
        return due is not None and self.clock.cycles >= due
