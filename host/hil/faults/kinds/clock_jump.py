"""A wall clock that is set while a run goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from hil.faults.injection import Injection
from hil.faults.kind import Kind, Layer, Setting
from hil.faults.outcome import Outcome
from hil.faults.values import quantity


class ClockJump(Injection):
    """The time of day jumps, either way, for an armed sample; the monotonic clock goes on.

    What this process asks of `time` jumps; the system's clock, which other programs use too, is left alone.
    """

    _jumped = False

    def begin(self, index: int) -> None:
        if not self.armed:
            return
        hours = self.settings["hours"] * self.random.choice((-1, 1))
        self.took_place(f"the wall clock jumps by {hours:+g} hours")
        self._real: tuple[Callable[[], float], Callable[[], int]] = (time.time, time.time_ns)
        by_s, (seconds, nanoseconds) = 3600 * hours, self._real
        self._set(lambda: seconds() + by_s, lambda: nanoseconds() + round(by_s * 1e9))
        self._jumped = True

    def end(self, index: int) -> None:
        self.close()

    def close(self) -> None:
        if self._jumped:
            self._jumped = False
            self._set(*self._real)

    @staticmethod
    def _set(seconds: Any, nanoseconds: Any) -> None:
        time.time, time.time_ns = seconds, nanoseconds


CLOCK_JUMP: Final = Kind(
    "clock-jump",
    Layer.HOST,
    "the host's time of day jumps by hours, and back",
    frozenset({Outcome.ANSWERED, Outcome.LOCAL, Outcome.FALLBACK}),
    ClockJump,
    (Setting("hours", 12.0, quantity(0.001, 1e6), "hours", "so far, forwards or back"),),
)
