"""What a question varies: values with an order, the simplest first, and edges that are drawn more often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

Value = int | str
"""As JSON holds it."""
Parameters = Mapping[str, Value]
"""One instance of a question."""

_EDGES_SHARE: Final = 0.5
SEED_MAX: Final = 2**32 - 1


class Parameter(Protocol):
    """One variable of a question."""

    @property
    def name(self) -> str: ...

    @property
    def simplest(self) -> Value:
        """What it is where it does not matter."""
        ...

    @property
    def varies(self) -> bool:
        """Whether instances differ in it on purpose; False for a source of random data."""
        ...

    @property
    def text(self) -> str:
        """Its values in short."""
        ...

    def draw(self, random: np.random.Generator) -> Value:
        """A value, one at an edge as often as not."""
        ...

    def simpler(self, value: Value) -> Sequence[Value]:
        """Values to try instead of `value`, the simplest first."""
        ...


@dataclass(frozen=True)
class Whole:
    """Whole numbers from `low` to `high`. Raises ValueError where `simplest` or an edge is none of them."""

    name: str
    low: int
    high: int
    edges: tuple[int, ...] = ()
    """Besides the ends and their neighbours."""
    at_rest: int | None = None
    """The simplest; None: `low`."""
    varies = True

    def __post_init__(self) -> None:
        named = (self.simplest, *self.edges)
        if not all(self.low <= value <= self.high for value in named):
            raise ValueError(f"{self.name}: {named} is not all within {self.low} to {self.high}")

    @property
    def simplest(self) -> int:
        return self.low if self.at_rest is None else self.at_rest

    @property
    def text(self) -> str:
        return f"{self.low} to {self.high}"

    def draw(self, random: np.random.Generator) -> int:
        """See `Parameter`."""
        if random.random() < _EDGES_SHARE:
            ends = {self.low, min(self.low + 1, self.high), max(self.low, self.high - 1), self.high}
            return int(random.choice(sorted(ends | set(self.edges))))
        return int(random.integers(self.low, self.high, endpoint=True))

    def simpler(self, value: Value) -> tuple[int, ...]:
        """Half-way points between the simplest and `value`, then edges, and last its neighbour."""
        assert isinstance(value, int)
        rest = self.simplest
        found, distance = [], value - rest
        while distance:
            found.append(value - distance)
            distance = int(distance / 2)
        nearer = [edge for edge in self.edges if abs(edge - rest) < abs(value - rest)]
        return tuple(sorted(dict.fromkeys((*found, *nearer)), key=lambda other: abs(other - rest)))


@dataclass(frozen=True)
class Choice:
    """Some values, the simplest first."""

    name: str
    values: tuple[Value, ...]
    varies = True

    @property
    def simplest(self) -> Value:
        return self.values[0]

    @property
    def text(self) -> str:
        return ", ".join(map(str, self.values))

    def draw(self, random: np.random.Generator) -> Value:
        """See `Parameter`."""
        return self.values[int(random.integers(len(self.values)))]

    def simpler(self, value: Value) -> tuple[Value, ...]:
        """See `Parameter`."""
        return self.values[: self.values.index(value)]


@dataclass(frozen=True)
class Data:
    """The seed of what an instance draws for itself: weights, inputs, noise."""

    name: str = "data"
    varies = False

    @property
    def simplest(self) -> int:
        return 0

    @property
    def text(self) -> str:
        return "seed"

    def draw(self, random: np.random.Generator) -> int:
        """See `Parameter`. Edges mean nothing here."""
        return int(random.integers(SEED_MAX, endpoint=True))

    def simpler(self, value: Value) -> tuple[int, ...]:
        """Nine small seeds: whether the data matter shows at once."""
        assert isinstance(value, int)
        return tuple(seed for seed in range(9) if seed < value)
