"""A part of a run in which the radio carries nothing.

It is said in samples, not in seconds: a run on the twin, in Renode and on a desk takes different times
for the same samples, and a slow scheme would sit through less of it than a fast one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hil.errors import UsageError


@dataclass(frozen=True)
class Outage:
    """So much of a run, from there on: shares of its samples, or numbers of them."""

    begin: float
    length: float
    shares: bool
    """Both are from 0 to 1; else both are whole numbers."""

    def samples(self, n: int) -> range:
        """The samples that it hits in a run of `n`, at least one. Raises UsageError when it comes later."""
        begin, end = self.begin, self.begin + self.length
        if self.shares:
            # Shares are decimal: 8 % and 57 % of ten samples end at six and a half, whatever float64 adds up.
            begin, end = (math.floor(round(share * n, 9) + 0.5) for share in (begin, end))
            begin = min(begin, n - 1)
        if begin >= n:
            raise UsageError(
                f"the outage begins at sample {begin:g} of a run of {n}", f"valid: 0 to {n - 1}, or a share"
            )
        return range(int(begin), min(max(int(end), int(begin) + 1), n))
