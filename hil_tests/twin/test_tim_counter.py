"""The timer's counter against a reference that does nothing but step, clock by clock."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.twin.peripherals.tim_counter import CHANNELS, Counter

MASK = 0xFF
"""A narrow counter meets its ends often."""


@dataclass
class Stepper:
    """The counting of RM0385 22.3.2, one clock at a time, written down as naively as can be."""

    reload: int
    prescaler: int
    repetition: int
    centre: int
    down: bool
    compare: list[int]
    update_disabled: bool
    one_pulse: bool
    running: bool = True
    count: int = 0
    divider: int = 0
    updates: int = 0
    overflows: int = 0
    matches: list[int] = field(default_factory=lambda: [0] * CHANNELS)
    loads: dict[str, object] = field(default_factory=dict)
    """What the next update event puts into use."""
    repetitions_left: int = 0

    def clock(self) -> None:
        if not self.running or self.reload == 0:
            return
        if self.divider < self.prescaler:
            self.divider += 1
            return
        self.divider = 0
        if self.centre:
            self._up_and_down()
        elif self.down:
            self._one_way(0, -1)
        else:
            self._one_way(self.reload, 1)

    def _one_way(self, last: int, step: int) -> None:
        if self.count == last:
            self._end(unreached=True)
            self._reach(self.reload if self.down else 0)
        else:
            self._reach((self.count + step) & MASK)

    def _up_and_down(self) -> None:
        if not self.down and self.count == self.reload - 1:
            self._end(unreached=True)
            self.down = True
            self._reach(self.reload)
        elif self.down and self.count <= 1:
            self._end(unreached=False)
            self.down = False
            self._reach(0)
        else:
            self._reach((self.count + (-1 if self.down else 1)) & MASK)

    def _reach(self, value: int) -> None:
        self.count = value
        for channel, compare in enumerate(self.compare):
            at_an_end = value in (0, self.reload)
            wanted = self.centre in (0, 3) or at_an_end or self.down == (self.centre == 1)
            if compare == value and wanted:
                self.matches[channel] += 1

    def _end(self, unreached: bool) -> None:
        self.overflows += 1
        if unreached:
            for channel, compare in enumerate(self.compare):
                self.matches[channel] += compare > self.reload
        if self.repetitions_left:
            self.repetitions_left -= 1
            return
        self.repetitions_left = self.repetition
        if self.update_disabled:
            return
        self.updates += 1
        for name, value in self.loads.items():
            setattr(self, name, value)
        self.loads = {}
        self.running = not self.one_pulse


seldom = st.sampled_from([False, False, False, False, True])
values = st.lists(st.integers(0, 16), min_size=CHANNELS, max_size=CHANNELS)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Counter, Stepper]:
    """A counter and a reference in the same state, perhaps with values that wait for an update."""
    centre, down = draw(st.integers(0, 3)), draw(st.booleans())
    reload, prescaler = draw(st.integers(0, 12)), draw(st.integers(0, 3))
    repetition, compare = draw(st.integers(0, 3)), draw(values)
    disabled, one_pulse = draw(seldom), draw(seldom)
    count = draw(st.integers(0, max(reload - 1, 0) if centre else 16))
    down = down and not centre
    stepper = Stepper(
        reload, prescaler, repetition, centre, down, list(compare), disabled, one_pulse, count=count
    )
    counter = Counter(MASK)
    counter.reload = counter.wanted_reload = reload
    counter.prescaler = counter.wanted_prescaler = prescaler
    counter.wanted_repetition = repetition
    counter.centre, counter.down, counter.count = centre, down, count
    counter.compare, counter.wanted_compare = list(compare), list(compare)
    counter.update_disabled, counter.one_pulse, counter.running = disabled, one_pulse, True
    if draw(st.booleans()):
        stepper.loads = {
            "reload": draw(st.integers(1, 12)),
            "prescaler": draw(st.integers(0, 3)),
            "compare": draw(values),
        }
        counter.wanted_reload = stepper.loads["reload"]
        counter.wanted_prescaler = stepper.loads["prescaler"]
        counter.wanted_compare = list(stepper.loads["compare"])
    return counter, stepper


@settings(max_examples=300, deadline=None)
@given(pairs(), st.lists(st.integers(0, 300), min_size=3, max_size=8), seldom)
def test_many_clocks_at_once_end_where_single_steps_do(
    pair: tuple[Counter, Stepper], portions: list[int], stop: bool
) -> None:
    counter, stepper = pair
    updates, turns, matches = 0, 0, [0] * CHANNELS
    for clocks in portions:
        left = clocks
        while left:
            used, events = counter.advance(left, stop_at_event=stop)
            left -= used
            updates, turns = updates + events.updates, turns + events.turns
            matches = [a + b for a, b in zip(matches, events.matches, strict=True)]
        for _ in range(clocks):
            stepper.clock()
        assert (counter.count, counter.down, counter.running) == (
            stepper.count,
            stepper.down,
            stepper.running,
        )
        assert (updates, turns, matches) == (stepper.updates, stepper.overflows, stepper.matches)
        assert counter.repetition == stepper.repetitions_left
        assert counter.phase == stepper.divider


@settings(max_examples=150, deadline=None)
@given(pairs(), st.integers(0, 40), st.integers(0, CHANNELS - 1))
def test_nothing_happens_before_the_announced_clock(
    pair: tuple[Counter, Stepper], before: int, channel: int
) -> None:
    counter, stepper = pair
    counter.advance(before)
    for _ in range(before):
        stepper.clock()
    updates, matches = stepper.updates, stepper.matches[channel]
    waits = counter.clocks_until_update(), counter.clocks_until_match(channel)
    for clock in range(1, 200):
        stepper.clock()
        if stepper.updates > updates:
            assert waits[0] is not None
            assert waits[0] <= clock
        if stepper.matches[channel] > matches:
            assert waits[1] is not None
            assert waits[1] <= clock
        if stepper.updates > updates or stepper.matches[channel] > matches:
            break


@pytest.mark.parametrize("centre", [0, 1, 2, 3])
def test_an_hour_of_clocks_costs_no_more_than_a_few(centre: int) -> None:
    counter = Counter(0xFFFF)
    counter.running, counter.centre = True, centre
    counter.reload = counter.wanted_reload = 999
    counter.compare = counter.wanted_compare = [500] * CHANNELS
    clocks = 3600 * 216_000_000
    _, events = counter.advance(clocks)
    period = 1998 if centre else 1000
    turns = 2 if centre else 1
    assert abs(events.updates - clocks * turns // period) <= 1
    assert abs(events.matches[0] - clocks * (2 if centre == 3 else 1) // period) <= 1
