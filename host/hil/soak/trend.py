"""Whether a series is flat: the verdict of a soak rests on it, not on a picture."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WARM_UP: Final = 0.4
"""So much of a series is left out: libraries are loaded, caches and the allocator's arenas fill."""
LEAST: Final = 5
"""Values after that; fewer have no trend."""


@dataclass(frozen=True)
class Trend:
    """Of one series, after its warm-up."""

    first: float
    """The median of its first half."""
    last: float
    """The median of its second half."""
    slope: float
    """The median of the slopes of all pairs (Theil 1950, Sen 1968), units a run: odd runs do not move it."""
    growth: float
    """The slope over the whole series that was looked at."""
    bound: float
    """What it may grow."""

    @property
    def flat(self) -> bool:
        return self.growth <= self.bound


def trend(values: Sequence[float], share: float, least: float) -> Trend | None:
    """May grow by `share` of where it began, and by `least` in any case; None where there are too few."""
    rest = values[int(WARM_UP * len(values)) :]
    if len(rest) < LEAST:
        return None
    pairs = [(a, b) for a in range(len(rest)) for b in range(a + 1, len(rest))]
    slope = statistics.median((rest[b] - rest[a]) / (b - a) for a, b in pairs)
    half = len(rest) // 2
    first, last = statistics.median(rest[:half]), statistics.median(rest[half:])
    return Trend(first, last, slope, slope * (len(rest) - 1), max(least, share * first))
