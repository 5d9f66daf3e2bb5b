"""A point in the RTC's calendar, and its form in TR and DR (RM0385 29.6.1, 29.6.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

RTC_TR_PM = 1 << 22
SECONDS_PER_DAY = 86_400
DAYS = 36_525
"""The years 0 to 99; every fourth is a leap year, as in 2000 to 2099."""
_FIRST_DAY = date(2000, 1, 1)


@dataclass(frozen=True)
class Moment:
    """`day` since 1 January of year 0, `weekday` 1 to 7 (Monday is 1) and `second` of the day.

    The chip keeps the weekday as firmware wrote it, right or wrong.
    """

    day: int = 0
    weekday: int = 1
    second: int = 0

    def plus(self, seconds: int) -> Moment:
        """The moment `seconds` later, or earlier."""
        days, second = divmod(self.second + seconds, SECONDS_PER_DAY)
        return replace(
            self, day=(self.day + days) % DAYS, weekday=(self.weekday - 1 + days) % 7 + 1, second=second
        )

    @property
    def date(self) -> date:
        """The day, in the years 2000 to 2099."""
        return _FIRST_DAY + timedelta(days=self.day)

    def tr(self, twelve_hours: bool) -> int:
        """The time register."""
        return time_fields(self.second, twelve_hours)

    def dr(self) -> int:
        """The date register."""
        day = self.date
        return bcd(day.year - 2000) << 16 | self.weekday << 13 | bcd(day.month) << 8 | bcd(day.day)


def time_fields(second: int, twelve_hours: bool) -> int:
    """A second of the day as TR and the alarm registers spell it."""
    hour, minute = second // 3600, second // 60 % 60
    pm = RTC_TR_PM if twelve_hours and hour >= 12 else 0
    if twelve_hours:
        hour = (hour - 1) % 12 + 1
    return pm | bcd(hour) << 16 | bcd(minute) << 8 | bcd(second % 60)


def moment_of(tr: int, dr: int, twelve_hours: bool) -> Moment:
    """What TR and DR say; a day past the end of its month falls into the next one."""
    hour = from_bcd(tr >> 16 & 0x3F)
    if twelve_hours:
        hour = hour % 12 + (12 if tr & RTC_TR_PM else 0)
    month = min(max(from_bcd(dr >> 8 & 0x1F), 1), 12)
    first = date(2000 + from_bcd(dr >> 16 & 0xFF) % 100, month, 1)
    day = (first - _FIRST_DAY).days + from_bcd(dr & 0x3F) - 1
    second = hour * 3600 + from_bcd(tr >> 8 & 0x7F) * 60 + from_bcd(tr & 0x7F)
    return Moment(day % DAYS, max(dr >> 13 & 7, 1), second % SECONDS_PER_DAY)


def bcd(value: int) -> int:
    """Two decimal digits, four bits each."""
    return value // 10 << 4 | value % 10


def from_bcd(value: int) -> int:
    """The number that two decimal digits stand for."""
    return (value >> 4) * 10 + (value & 0xF)
