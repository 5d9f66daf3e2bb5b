"""How a sample that a fault hit has ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from hil.session.events import SampleRecord


class Outcome(StrEnum):
    """The defined ends of a fault, and two that must never be."""

    ANSWERED = "answered"
    """As if nothing had been."""
    LOCAL = "local"
    """The device's own answer, by its own choice."""
    FALLBACK = "fallback"
    """The device's own answer, at the deadline at the latest."""
    RETRIED = "retried"
    """Answered after a frame was repeated, or in another attempt."""
    FAILED = "failed"
    """Without an answer, with a reason; or with one that the row itself calls wrong."""
    LATE = "late"
    """A fallback after the deadline: never."""
    HANG = "hang"
    """It did not end within its limits: never."""
    SILENT = "silent"
    """An answer that is wrong, and nothing says so: never."""


NEVER: Final = frozenset({Outcome.LATE, Outcome.HANG, Outcome.SILENT})
ANSWERS: Final = frozenset({"answered", "fallback", "local"})
"""Outcomes of a record that claim an answer."""
LATE_MS: Final = 1.0
"""The device's tick: by so much it may notice its deadline late."""


@dataclass(frozen=True)
class Truth:
    """What is right for one sample, from a reference that the run had no hand in."""

    local: int | None
    """The class by the local half alone; None where it has none."""
    both: int | None
    """The class by both halves, or by the server half alone; None where nothing is sent."""

    def allows(self, record: SampleRecord) -> bool:
        """Whether the class that `record` claims is right, by the way it says it was found."""
        return record.prediction == (self.both if record.outcome == "answered" else self.local)


def outcome_of(record: SampleRecord, deadline_ms: float, truth: Truth | None = None) -> Outcome:
    """How the sample of `record` ended. Without a `truth`, a wrong answer is found only if the row says so.

    A hang has no record: whoever waited for it knows.
    """
    if record.outcome not in ANSWERS or record.agrees is False:
        return Outcome.FAILED
    if truth is not None and not truth.allows(record):
        return Outcome.SILENT
    if record.outcome == "fallback":
        return Outcome.LATE if _waited_ms(record) > deadline_ms + LATE_MS else Outcome.FALLBACK
    if record.attempts > 1 or record.wire_retransmissions:
        return Outcome.RETRIED
    return Outcome(record.outcome)


def faults_entry(
    hit: Collection[tuple[str, int]],
    records: Sequence[SampleRecord],
    deadline_ms: float,
    kinds: Collection[str] = (),
) -> dict[str, Any]:
    """The entry `faults` of a summary: of `kinds`, and all that were `hit` (kind, position in the run)."""
    by_index = {record.index: str(outcome_of(record, deadline_ms)) for record in records}
    names = sorted({*kinds, *(kind for kind, _ in hit)})
    places = {name: sorted(index for kind, index in hit if kind == name) for name in names}
    counts = {name: Counter(by_index[at] for at in places[name] if at in by_index) for name in names}
    return {
        "injected": {name: len(places[name]) for name in names},
        "outcomes": {name: dict(sorted(counts[name].items())) for name in names},
    }


def _waited_ms(record: SampleRecord) -> float:
    """How long the device waited for its reply, by its own cycles."""
    latency = record.latency_ms
    return 0.0 if latency is None else latency.link + latency.remote + latency.overlap
