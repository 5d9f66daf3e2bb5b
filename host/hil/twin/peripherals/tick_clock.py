"""Clock edges of a counter, numbered in virtual time without drift."""

from __future__ import annotations

from collections.abc import Callable

from hil.twin.clock import SECOND_FS


class TickClock:
    """Numbers the edges of a clock from an anchor; each edge is given out once.

    Edge n falls at anchor + n / f, rounded up to a femtosecond each time, so nothing adds up.
    """

    def __init__(self, hz: Callable[[], int]) -> None:
        self._hz = hz
        self._anchor_fs = 0
        self._taken = 0

    def elapsed(self, at_fs: int) -> int:
        """Edges up to `at_fs` that were not taken."""
        return max(0, self.elapsed_signed(at_fs))

    def elapsed_signed(self, at_fs: int) -> int:
        """As `elapsed`; negative while edges are taken ahead of time."""
        return (at_fs - self._anchor_fs) * self._hz() // SECOND_FS - self._taken

    def take(self, edges: int) -> None:
        """Gives out `edges` edges."""
        self._taken += edges

    def skip(self, at_fs: int) -> None:
        """Lets all edges up to `at_fs` pass unused."""
        self._taken += self.elapsed(at_fs)

    def time_fs(self, edges: int = 0) -> int:
        """When the `edges`-th edge from now on falls; 0 is the last one taken."""
        return self._anchor_fs - (-(self._taken + edges) * SECOND_FS // self._hz())

    def rebase(self, at_fs: int) -> None:
        """The frequency changed at `at_fs`; the phase starts anew."""
        self._anchor_fs, self._taken = at_fs, 0
