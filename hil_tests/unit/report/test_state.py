"""The dashboard's state follows the events."""

from __future__ import annotations

from hil.report import statistics as stats
from hil.report.state import RECENT_MAX, WARNINGS_MAX, Dashboard, update
from hil.session.events import (
    RunFinished,
    SampleFinished,
    ServerLost,
    StageFinished,
    StageProgress,
    StageStarted,
    Warned,
)
from hil_tests.unit.report.feed import STARTED, events, sample, state_after


def test_a_stage_runs_until_it_is_finished() -> None:
    state = state_after([StageStarted("build", "twin"), StageProgress("build", 2, 5, "emit")])
    (stage,) = state.stages
    assert (stage.seconds, stage.done, stage.total, stage.detail) == (None, 2, 5, "emit")
    state = update(state, StageFinished("build", 3.0, cached=True), 9.0)
    assert (state.stages[0].seconds, state.stages[0].cached) == (3.0, True)


def test_progress_of_a_stage_nobody_announced_is_shown_all_the_same() -> None:
    state = state_after([StageProgress("boot", 1, 2), StageFinished("serve", 1.0)])
    assert [stage.name for stage in state.stages] == ["boot", "serve"]


def test_update_leaves_the_old_state_alone() -> None:
    before = state_after(events(3, finished=False))
    update(before, SampleFinished(sample(3)), 9.0)
    assert before.tally.samples == len(before.recent) == 3


def test_samples_are_counted_by_what_became_of_them() -> None:
    feed = [
        STARTED,
        SampleFinished(sample(0, prefix_channels=4)),
        SampleFinished(sample(1, prediction=5, agrees=False)),
        SampleFinished(sample(2, outcome="fallback", wire_retransmissions=2, radio_retransmissions=1)),
        SampleFinished(sample(3, outcome="failed", prediction=None, latency_ms=None, payload_bytes=0)),
    ]
    tally = state_after(feed).tally
    assert (tally.samples, tally.correct, tally.fallbacks, tally.failures) == (4, 2, 1, 1)
    assert (tally.reference_known, tally.reference_equal) == (4, 3)
    assert (tally.sent, tally.payload_bytes, tally.prefixes) == (3, 2700, 1)
    assert (tally.wire_retransmissions, tally.radio_retransmissions) == (2, 1)


def test_a_float_prediction_that_is_unknown_is_not_counted_as_wrong() -> None:
    unknown = sample(1, float_prediction=None)
    state = state_after([STARTED, SampleFinished(unknown), SampleFinished(sample(2))])
    assert stats.ratio(state.tally.float_correct, state.tally.float_known) == 1.0


def test_history_and_warnings_are_bounded() -> None:
    state = Dashboard()
    for i in range(RECENT_MAX + 5):
        state = update(state, SampleFinished(sample(i)), float(i))
    for i in range(WARNINGS_MAX + 5):
        state = update(state, Warned("w", f"number {i}"), 0.0)
    assert len(state.recent) == RECENT_MAX
    assert state.recent[-1].index == RECENT_MAX + 4
    assert state.tally.samples == RECENT_MAX + 5
    assert len(state.warnings) == WARNINGS_MAX


def test_a_lost_server_is_a_warning() -> None:
    state = state_after([ServerLost("it crashed")])
    assert "it crashed" in state.warnings[-1].message


def test_the_end_of_the_run_is_kept() -> None:
    assert state_after([RunFinished({"valid": True})]).finished == RunFinished({"valid": True})
