"""Which samples of a run a fault hits."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from random import Random
from typing import Self

from hil.errors import UsageError

_PART = re.compile(r"(\d+)(?:-(\d+))?|(\d*\.?\d+)%")


@dataclass(frozen=True)
class When:
    """Named samples, or each with a chance."""

    text: str
    parts: tuple[tuple[int, int], ...] = ()
    """First and last sample of each stretch."""
    shares: tuple[float, ...] = ()
    """Of the way through the run, 0 to 1."""
    rate: float = 0.0

    @classmethod
    def at(cls, text: str) -> Self:
        """From `5`, `5-8`, `50%`, or several of them with `+`. Raises ValueError."""
        matches = [_PART.fullmatch(part) for part in text.split("+")]
        found = [match.groups() for match in matches if match]
        parts = tuple((int(first), int(last or first)) for first, last, _ in found if first)
        shares = tuple(float(share) / 100 for *_, share in found if share)
        if None in matches or any(last < first for first, last in parts) or any(s > 1 for s in shares):
            raise ValueError("samples from 0 on: 5, 5-8, 3+7+9, 50%")
        return cls(text, parts, shares)

    @classmethod
    def by_chance(cls, text: str) -> Self:
        """From `0.25`. Raises ValueError."""
        try:
            rate = float(text)
        except ValueError:
            rate = math.nan
        if not 0 < rate <= 1:
            raise ValueError("the chance of each sample, above 0 and up to 1")
        return cls(text, rate=rate)

    def samples(self, n: int, random: Random) -> frozenset[int]:
        """The samples that are hit in a run of `n`. Raises UsageError when a named one comes later."""
        if self.rate:
            return frozenset(index for index in range(n) if random.random() < self.rate)
        named = {index for first, last in self.parts for index in range(first, last + 1)}
        if named and max(named) >= n:
            raise UsageError(
                f"at={self.text} names sample {max(named)} of a run of {n}",
                f"valid: 0 to {n - 1}, or a share",
            )
        return frozenset(named | {min(int(share * n), n - 1) for share in self.shares})
