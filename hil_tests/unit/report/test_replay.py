"""A run folder can be looked at again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hil.errors import SessionError
from hil.report.replay import read_events, state_at_end
from hil.session.events import EnergyDetail, RunStarted, ServerLost, Warned
from hil.session.rows import event_object
from hil.wire.to_host import StageCycles
from hil_tests.unit.report.feed import SUMMARY, SampleFinished, events, sample, state_after

FEED = [
    *events(3, finished=False),
    SampleFinished(sample(3, cycles=StageCycles(1, 2, 3, 4, 5, 6, 21), energy_mj=None)),
    SampleFinished(sample(4, energy_detail=EnergyDetail({"run": 0.3}, {"graph": 0.2}, 1.2, 10.0))),
    Warned("a", "b", "c"),
    ServerLost("gone"),
    events()[-1],
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = [json.dumps(event_object(event, i / 10)) for i, event in enumerate(FEED)]
    (tmp_path / "events.jsonl").write_text("\n".join(lines) + "\n")
    (tmp_path / "summary.json").write_text(json.dumps(SUMMARY))
    return tmp_path


def test_events_come_back_as_they_were(folder: Path) -> None:
    replayed = [event for _, event in read_events(folder)]
    for before, after in zip(FEED, replayed, strict=True):
        if not isinstance(before, RunStarted):
            assert after == before


def test_the_last_state_is_the_one_that_was_shown(folder: Path) -> None:
    state, now_s = state_at_end(folder)
    assert now_s == (len(FEED) - 1) / 10
    assert state.tally == state_after(FEED).tally
    assert state.run is not None
    assert state.run.folder == folder


@pytest.mark.parametrize("content", ["{", '{"t": 0, "event": "Odd"}', '{"t": 0, "event": "Warned", "x": 1}'])
def test_what_is_no_run_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "events.jsonl").write_text(content + "\n")
    with pytest.raises(SessionError, match="no readable run"):
        list(read_events(tmp_path))
