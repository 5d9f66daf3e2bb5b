"""The RTC's calendar and alarms against datetime and a search second by second."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hil.twin.peripherals.rtc_alarm import MSK1, MSK2, MSK3, MSK4, WDSEL, AlarmTime
from hil.twin.peripherals.rtc_calendar import Moment, bcd, from_bcd, moment_of, time_fields

MOMENTS = st.builds(
    Moment, day=st.integers(0, 36_524), weekday=st.integers(1, 7), second=st.integers(0, 86_399)
)


@given(MOMENTS, st.booleans())
def test_registers_hold_a_moment_without_loss(moment: Moment, twelve_hours: bool) -> None:
    assert moment_of(moment.tr(twelve_hours), moment.dr(), twelve_hours) == moment


@given(MOMENTS, st.integers(0, 10**9))
def test_the_calendar_counts_as_datetime_does(moment: Moment, seconds: int) -> None:
    later = moment.plus(seconds)
    expected = datetime(2000, 1, 1) + timedelta(days=moment.day, seconds=moment.second + seconds)
    if expected.year < 2100:
        assert datetime(*later.date.timetuple()[:3]) + timedelta(seconds=later.second) == expected
    days = (moment.second + seconds) // 86_400
    assert (later.weekday - moment.weekday - days) % 7 == 0


def test_midnight_and_noon_in_twelve_hours() -> None:
    assert time_fields(0, True) == 0x12_0000
    assert time_fields(12 * 3600, True) == 1 << 22 | 0x12_0000
    assert time_fields(23 * 3600 + 59 * 60 + 58, True) == 1 << 22 | 0x11_5958


def test_the_century_begins_anew() -> None:
    last = moment_of(0x23_5959, 0x99_7231 & 0xFF_FFFF, False)
    assert last.plus(1) == Moment(0, last.weekday % 7 + 1, 0)


@given(st.integers(0, 99))
def test_bcd_is_its_own_inverse(value: int) -> None:
    assert from_bcd(bcd(value)) == value


@st.composite
def alarms(draw: st.DrawFn) -> AlarmTime:
    twelve = draw(st.booleans())
    masks = sum(draw(st.sampled_from((0, mask))) for mask in (MSK1, MSK2, MSK3, MSK4))
    weekday = draw(st.booleans())
    day = draw(st.integers(1, 7)) if weekday else bcd(draw(st.integers(1, 28)))
    time = time_fields(draw(st.integers(0, 86_399)), twelve)
    return AlarmTime(masks | (WDSEL if weekday else 0) | day << 24 | time, 0, twelve)


@given(alarms(), MOMENTS, st.integers(0, 5))
def test_the_next_alarm_is_the_first_second_that_matches(alarm: AlarmTime, start: Moment, after: int) -> None:
    rate = 4
    tick = alarm.next_tick(start, after, rate)
    assert tick is not None
    assert tick > after
    assert tick % rate == 0, "without sub-seconds an alarm goes off when the second begins"
    found = tick // rate
    assert alarm._mismatch(start.plus(found)) == 0
    earlier = range(max(-(-(after + 1) // rate), found - 2000), found)
    assert all(alarm._mismatch(start.plus(second)) for second in earlier)


@given(st.integers(0, 255), st.integers(1, 15), st.integers(0, 1000))
def test_sub_seconds_match_their_low_bits(sub_seconds: int, compared: int, after: int) -> None:
    alarm = AlarmTime(MSK1 | MSK2 | MSK3 | MSK4, compared << 24 | sub_seconds, False)
    modulus = 1 << compared
    wanted = [
        tick
        for tick in range(after + 1, after + 1 + 2 * 256)
        if (255 - tick % 256) % modulus == sub_seconds % modulus
    ]
    assert alarm.next_tick(Moment(), after, 256) == wanted[0]


def test_a_date_that_no_month_has_never_comes() -> None:
    assert AlarmTime(0x39 << 24, 0, False).next_tick(Moment(), 0, 256) is None
