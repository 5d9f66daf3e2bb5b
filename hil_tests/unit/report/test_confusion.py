"""Counting answers by class, and choosing the samples worth a look."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hil.report.confusion import confusion
from hil.report.worst import SLOW, WRONG, choose
from hil.session.events import LatencyParts
from hil_tests.unit.report.feed import sample

CLASS = st.integers(0, 4)
RECORDS = st.lists(st.tuples(CLASS, st.none() | CLASS, CLASS, st.floats(0, 100)), max_size=30).map(
    lambda rows: [
        sample(
            index, label=label, prediction=said, float_prediction=real,
            outcome="failed" if said is None else "answered",
            latency_ms=None if said is None else LatencyParts(0, 0, 0, 0, total),
        )
        for index, (label, said, real, total) in enumerate(rows)
    ]
)  # fmt: skip


@settings(max_examples=50)
@given(RECORDS)
def test_every_sample_is_counted_once_and_the_diagonal_is_right(records) -> None:  # type: ignore[no-untyped-def]
    found = confusion(records, 5)
    assert found.counts.sum() + found.unanswered.sum() == len(records)
    assert found.counts.trace() == sum(record.correct for record in records)
    assert sum(count for *_, count in found.pairs()) == found.counts.sum() - found.counts.trace()


def test_labels_that_are_no_classes_are_left_out() -> None:
    assert (
        confusion([sample(0, label=7, prediction=1), sample(1, label=1, prediction=7)], 3).counts.sum() == 0
    )


@settings(max_examples=50)
@given(RECORDS)
def test_wrong_ones_come_first_then_the_slowest_right_ones(records) -> None:  # type: ignore[no-untyped-def]
    chosen = choose(records)
    wrong = [choice.record for choice in chosen if choice.why != "slow"]
    slow = [choice.record for choice in chosen if choice.why == "slow"]
    assert len(wrong) == min(WRONG, sum(not record.correct for record in records))
    assert not any(record.correct for record in wrong)
    known = [record.float_prediction == record.label for record in wrong]
    assert known == sorted(known, reverse=True)
    totals = sorted((r.latency_ms.total for r in records if r.correct and r.latency_ms), reverse=True)
    assert [record.latency_ms.total for record in slow if record.latency_ms] == totals[:SLOW]
