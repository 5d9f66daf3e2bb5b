"""The counter of a timer (RM0385 22.3.1, 22.3.2): prescaler, auto-reload, repetitions, compare matches.

Pure arithmetic: it knows no time and no registers, only clocks of its input. Many clocks cost as
much as few, because whole periods that repeat are counted and not walked through.
"""

from __future__ import annotations

from dataclasses import dataclass, field

CHANNELS = 6
EDGE_ALIGNED = 0
"""CMS: 0 counts one way; 1, 2 and 3 up and down, with matches flagged down, up or both ways."""


@dataclass
class Events:
    """What happened over some clocks. Matches are counted per channel, from 0."""

    updates: int = 0
    turns: int = 0
    """Overflows and underflows, also those that the repetition counter holds back."""
    matches: list[int] = field(default_factory=lambda: [0] * CHANNELS)

    @property
    def any(self) -> bool:
        """Something happened."""
        return bool(self.turns) or any(self.matches)


class Counter:
    """Counts clocks; `mask` is 0xFFFF or 0xFFFF_FFFF. Attributes are what registers hold.

    `reload`, `prescaler`, `compare` and `repetition` are in use; `wanted_*` wait for an update.
    A counter that is set above its reload value runs on to the end of its width (RM0385 says
    nothing of an overflow there, and none is made).
    """

    def __init__(self, mask: int) -> None:
        self.mask = mask
        self.count = 0
        self.phase = 0
        """Clocks since the prescaler last let one through."""
        self.down = False
        self.centre = EDGE_ALIGNED
        self.update_disabled = False
        self.one_pulse = False
        self.running = False
        self.prescaler = self.wanted_prescaler = 0
        self.reload = self.wanted_reload = mask
        self.repetition = self.wanted_repetition = 0
        self.compare = [0] * CHANNELS
        self.wanted_compare = [0] * CHANNELS

    @property
    def steady(self) -> bool:
        """An update event would change no value in use."""
        return self.update_disabled or (
            self.prescaler == self.wanted_prescaler
            and self.reload == self.wanted_reload
            and self.compare == self.wanted_compare
        )

    @property
    def period(self) -> int:
        """Counts of one period: up, down, or up and down."""
        return self.reload + 1 if self.centre == EDGE_ALIGNED else 2 * self.reload

    def advance(self, clocks: int, *, stop_at_event: bool = False) -> tuple[int, Events]:
        """Takes up to `clocks` clocks; returns how many it took and what happened.

        With `stop_at_event` it stops behind the first count that makes an event.
        """
        events, left = Events(), clocks
        while left > 0 and self.running and self.reload:
            steps = self._until_match() if stop_at_event else self._until_turn()
            counts, phase = divmod(self.phase + left, self.prescaler + 1)
            if counts < steps:
                self.phase = phase
                self._move(counts, events)
                break
            if not stop_at_event and (rest := self._skip_periods(left, events)) < left:
                left = rest
                continue
            left -= steps * (self.prescaler + 1) - self.phase
            self.phase = 0
            self._step(steps, events)
            if stop_at_event and events.any:
                return clocks - left, events
        return clocks, events

    def tick(self, down: bool) -> Events:
        """One count in a given direction, as an encoder makes it: the prescaler does not matter."""
        events = Events()
        if self.running and self.reload:
            self.down = down
            self._step(1, events)
        return events

    def restart(self) -> None:
        """UG, or a reset by the trigger: counter and prescaler start anew, waiting values are loaded.

        A compare value equal to the new count makes no match: the manual speaks of matches of a
        counter that counts, and HAL programs enable compare interrupts behind UG without clearing.
        """
        self.phase = 0
        if not self.update_disabled:
            self.repetition = self.wanted_repetition
            self._load()
        if self.centre != EDGE_ALIGNED:
            self.down = False
        self.count = self.reload if self.down else 0

    def clocks_until_update(self) -> int | None:
        """Clocks until the next update event, or to a moment from which it can be told; None for never."""
        if not self.running or not self.reload or self.update_disabled:
            return None
        counts = self._until_turn()
        if self.centre == EDGE_ALIGNED:
            counts += self.repetition * self.period
        return self._clocks(counts)

    def clocks_until_match(self, channel: int) -> int | None:
        """As `clocks_until_update`, for a channel from 0."""
        if not self.running or not self.reload:
            return None
        here, turn = self._distance(channel), self._until_turn()
        if here is not None and here <= turn:
            return self._clocks(here)
        if self.centre == EDGE_ALIGNED and self.steady and self.compare[channel] <= self.reload:
            start = self.reload if self.down else 0
            return self._clocks(turn + abs(self.compare[channel] - start))
        return self._clocks(turn)

    def level_of_pwm(self, channel: int) -> bool:
        """OCxREF in PWM mode 1 (RM0385 22.3.10): below the compare value; counting down, up to it."""
        value = self.compare[channel]
        return self.count <= value if self.down else self.count < value

    def _clocks(self, counts: int) -> int:
        return counts * (self.prescaler + 1) - self.phase

    def _until_turn(self) -> int:
        """Counts until over- or underflow, or until a counter beyond its reload value is round."""
        if self.down:
            return self.count + 1 if self.centre == EDGE_ALIGNED else max(self.count, 1)
        last = self.reload if self.centre == EDGE_ALIGNED else self.reload - 1
        return (last if self.count <= last else self.mask) - self.count + 1

    def _until_match(self) -> int:
        turn = self._until_turn()
        distances = [self._distance(channel) for channel in range(CHANNELS)]
        return min([turn, *(d for d in distances if d is not None)])

    def _distance(self, channel: int) -> int | None:
        """Counts to the compare value on the present way, turns left out."""
        if not self._flags(self.compare[channel]):
            return None
        distance = self.compare[channel] - self.count
        distance = -distance if self.down else distance
        return distance if 0 < distance < self._until_turn() else None

    def _flags(self, value: int) -> bool:
        """CMS 1 flags matches on the way down, 2 on the way up; both ends belong to both ways."""
        if self.centre in (EDGE_ALIGNED, 3) or value in (0, self.reload):
            return True
        return self.down == (self.centre == 1)

    def _move(self, counts: int, events: Events) -> None:
        """Counts on without reaching a turn."""
        first, self.count = self.count, self.count + (-counts if self.down else counts)
        low, high = (self.count, first - 1) if self.down else (first + 1, self.count)
        for channel, value in enumerate(self.compare):
            if low <= value <= high and self._flags(value):
                events.matches[channel] += 1

    def _step(self, counts: int, events: Events) -> None:
        """Counts on to the next turn at most."""
        turn = self._until_turn()
        self._move(min(counts, turn - 1), events)
        if counts >= turn:
            self._turn(events)

    def _turn(self, events: Events) -> None:
        """The count that over- or underflows."""
        last = self.reload if self.centre == EDGE_ALIGNED else self.reload - 1
        if not self.down and self.count != last:
            self._arrive(0, events)
            return
        if self.centre == EDGE_ALIGNED or not self.down:
            # A value that is never reached flags at the overflow, counting down at the underflow.
            for channel, value in enumerate(self.compare):
                events.matches[channel] += value > self.reload
        events.turns += 1
        self._end_of_period(events)
        if self.centre != EDGE_ALIGNED:
            self.down = not self.down
        self._arrive(self.reload if self.down else 0, events)

    def _end_of_period(self, events: Events) -> None:
        if self.repetition:
            self.repetition -= 1
            return
        self.repetition = self.wanted_repetition
        if not self.update_disabled:
            events.updates += 1
            self._load()
            if self.one_pulse:
                self.running = False

    def _load(self) -> None:
        self.prescaler, self.reload = self.wanted_prescaler, self.wanted_reload
        self.compare = list(self.wanted_compare)

    def _arrive(self, value: int, events: Events) -> None:
        self.count = value
        for channel, compare in enumerate(self.compare):
            events.matches[channel] += compare == value

    def _skip_periods(self, left: int, events: Events) -> int:
        """Counts whole periods at once; returns the clocks that are left."""
        if self.one_pulse or self.count > self.reload:
            return left
        per_period = 1 if self.centre == EDGE_ALIGNED else 2
        whole = left // ((self.prescaler + 1) * self.period)
        if not self.steady:
            whole = min(whole, self.repetition // per_period)
        if whole <= 0:
            return left
        for channel, value in enumerate(self.compare):
            events.matches[channel] += whole * self._matches_per_period(value)
        self._repeat(whole * per_period, events)
        return left - whole * self.period * (self.prescaler + 1)

    def _matches_per_period(self, value: int) -> int:
        if self.centre == EDGE_ALIGNED or value >= self.reload or not value:
            return 1
        return 2 if self.centre == 3 else 1

    def _repeat(self, turns: int, events: Events) -> None:
        """`turns` ends of a period that load nothing new."""
        events.turns += turns
        if turns <= self.repetition:
            self.repetition -= turns
            return
        cycle = self.wanted_repetition + 1
        beyond = turns - self.repetition - 1
        if not self.update_disabled:
            events.updates += 1 + beyond // cycle
        self.repetition = self.wanted_repetition - beyond % cycle
