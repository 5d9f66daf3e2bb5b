"""What a soak found: run by run, added up, and judged."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from hil.faults.outcome import NEVER
from hil.measure.source import Source
from hil.soak.trend import Trend, trend

SCHEMA: Final = 1
FILE: Final = "soak.json"
RSS_SHARE: Final = 0.02
RSS_LEAST: Final = 8 << 20
"""Memory may grow by the larger of the two over a soak: an allocator's pages come and go by as much."""
HANDLES_LEAST: Final = 1.0


@dataclass(frozen=True)
class Round:
    """One run."""

    number: int
    scheme: str
    radio: str
    seed: int
    inject: tuple[str, ...]
    samples: int
    board_s: float
    """By the board's clock."""
    wall_s: float
    injected: dict[str, dict[str, int]]
    """By kind: how the samples ended that it hit."""
    rss_bytes: int | None
    handles: int | None
    ended: str = ""
    """Why it ended early, as a run may; empty where it did not."""
    strange: tuple[str, ...] = ()
    """What must never be."""


@dataclass
class Soak:
    """All runs so far."""

    hours: float
    """Asked for."""
    virtual: bool
    """Whether they are the board's, or the wall clock's."""
    seed: int
    board: str
    board_source: str
    """Origin of the board's seconds."""
    provenance: dict[str, Any] = field(default_factory=dict)
    rounds: list[Round] = field(default_factory=list)

    @property
    def board_s(self) -> float:
        return sum(one.board_s for one in self.rounds)

    @property
    def wall_s(self) -> float:
        return sum(one.wall_s for one in self.rounds)

    @property
    def done_s(self) -> float:
        """Of what was asked for."""
        return self.board_s if self.virtual else self.wall_s

    @property
    def complete(self) -> bool:
        return self.done_s >= 3600 * self.hours

    @property
    def outcomes(self) -> dict[str, Counter[str]]:
        """By kind: how the samples ended that it hit."""
        total: dict[str, Counter[str]] = {}
        for one in self.rounds:
            for kind, ends in one.injected.items():
                total.setdefault(kind, Counter()).update(ends)
        return dict(sorted(total.items()))

    @property
    def strange(self) -> list[str]:
        return [f"run {one.number}: {word}" for one in self.rounds for word in one.strange]

    @property
    def memory(self) -> Trend | None:
        """Bytes; None for a soak that is too short to tell."""
        values = [float(one.rss_bytes) for one in self.rounds if one.rss_bytes is not None]
        return trend(values, RSS_SHARE, RSS_LEAST)

    @property
    def handles(self) -> Trend | None:
        """File descriptors."""
        values = [float(one.handles) for one in self.rounds if one.handles is not None]
        return trend(values, 0.0, HANDLES_LEAST)

    @property
    def reasons(self) -> list[str]:
        """Why it is not sound; empty where it is."""
        found = self.strange
        if not self.complete:
            found.append(f"it ended after {self.done_s / 3600:.2f} of {self.hours:g} hours")
        for name, seen in (("memory", self.memory), ("file handles", self.handles)):
            if seen is not None and not seen.flat:
                found.append(f"{name} grew by {seen.growth:.0f}, more than {seen.bound:.0f}")
        return found

    def to_json(self) -> dict[str, Any]:
        """The document of `soak.json`."""
        seen = {"memory": self.memory, "handles": self.handles}
        return {
            "schema": SCHEMA,
            "sound": not self.reasons,
            "reasons": self.reasons,
            **{name: getattr(self, name) for name in ("hours", "virtual", "seed", "board", "complete")},
            "runs": len(self.rounds),
            "samples": sum(one.samples for one in self.rounds),
            "board_s": self.board_s,
            "wall_s": self.wall_s,
            "sources": {"board_s": self.board_source, "wall_s": str(Source.MEASURED_HOST)},
            "injected": {kind: dict(ends) for kind, ends in self.outcomes.items()},
            "never": sum(ends[name] for ends in self.outcomes.values() for name in NEVER),
            **{name: one and {**asdict(one), "flat": one.flat} for name, one in seen.items()},
            "rounds": [asdict(one) for one in self.rounds],
            "provenance": self.provenance,
        }
