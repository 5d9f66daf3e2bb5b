"""How a sample that was hit is judged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hil.faults.outcome import Outcome, Truth, outcome_of
from hil.session.events import LatencyParts, SampleRecord

RIGHT = Truth(local=3, both=7)
ANSWERED = SampleRecord(0, 0, 7, "answered", "", prediction=7, agrees=True)
FALLBACK = replace(
    ANSWERED, outcome="fallback", prediction=3, latency_ms=LatencyParts(1.0, 40.0, 0.0, 0.1, 41.1)
)


@pytest.mark.parametrize(
    ("record", "outcome"),
    [
        (ANSWERED, Outcome.ANSWERED),
        (replace(ANSWERED, outcome="local", prediction=3), Outcome.LOCAL),
        (replace(ANSWERED, wire_retransmissions=1), Outcome.RETRIED),
        (replace(ANSWERED, attempts=2), Outcome.RETRIED),
        (FALLBACK, Outcome.FALLBACK),
        (replace(FALLBACK, latency_ms=LatencyParts(1.0, 52.0, 0.0, 0.1, 53.1)), Outcome.LATE),
        (replace(ANSWERED, outcome="failed", prediction=None), Outcome.FAILED),
        (replace(ANSWERED, agrees=False), Outcome.FAILED),
        (replace(ANSWERED, agrees=False, prediction=1), Outcome.FAILED),
        (replace(ANSWERED, prediction=3), Outcome.SILENT),
        (replace(ANSWERED, prediction=3, agrees=None), Outcome.SILENT),
        (replace(FALLBACK, prediction=7), Outcome.SILENT),
        (replace(ANSWERED, attempts=2, prediction=1), Outcome.SILENT),
    ],
)
def test_outcomes(record: SampleRecord, outcome: Outcome) -> None:
    assert outcome_of(record, 50.0, RIGHT) is outcome


def test_without_a_truth_a_wrong_answer_is_known_only_by_its_row() -> None:
    assert outcome_of(replace(ANSWERED, prediction=3), 50.0) is Outcome.ANSWERED
    assert outcome_of(replace(ANSWERED, prediction=3, agrees=False), 50.0) is Outcome.FAILED
