"""Whether it pays to wait for one more request before a batch is inferred."""

from __future__ import annotations

_RECENT = 0.125
"""Weight of the latest gap between two requests."""
_LATE = 4
"""Gaps; of random arrivals one in fifty comes later."""
_KEEP = 0.95
"""What a batch's weight is after the next one."""


class Pace:
    """Learns how often requests come, and what a batch costs beyond its members.

    A batch of n takes about `fixed + n · each` seconds. One more member saves `fixed`, and n members wait
    for it as long as the usual gap between requests: it pays while n · gap < fixed. Someone who asks again
    only when answered has gaps of a whole batch's time and more, and so never waits.
    """

    def __init__(self) -> None:
        self._last_s: float | None = None
        self._gap_s = float("inf")
        self._sums = (0.0, 0.0, 0.0, 0.0, 0.0)

    def arrived(self, now_s: float) -> None:
        """A request came."""
        if self._last_s is not None:
            gap_s = now_s - self._last_s
            known = self._gap_s != float("inf")
            self._gap_s = self._gap_s + _RECENT * (gap_s - self._gap_s) if known else gap_s
        self._last_s = now_s

    def inferred(self, count: int, seconds: float) -> None:
        """A batch of `count` took `seconds`."""
        news = (1.0, float(count), float(count * count), seconds, count * seconds)
        self._sums = tuple(_KEEP * old + new for old, new in zip(self._sums, news, strict=True))  # type: ignore[assignment]

    @property
    def fixed_s(self) -> float:
        """What a batch costs beyond its members, by least squares over the latest ones."""
        weight, n, nn, t, nt = self._sums
        if not weight:
            return 0.0
        spread = weight * nn - n * n
        if spread < 1e-6 * nn * weight:
            return t / weight / 2  # batches of one size only: nobody knows
        each = (weight * nt - n * t) / spread
        return min(max(0.0, (t - each * n) / weight), t / weight)

    def patience_s(self, count: int, now_s: float) -> float:
        """How long a batch that has `count` members should wait for the next request; 0: not at all.

        One that is late by several gaps is not coming.
        """
        if self._last_s is None or count * self._gap_s >= self.fixed_s:
            return 0.0
        return max(0.0, self._last_s + _LATE * self._gap_s - now_s)
