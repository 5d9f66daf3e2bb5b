"""What a run does with the faults it carries, on a device written in Python."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hil_tests.unit.session.fakes import FakeServer, Recorder, run_fake

from hil.errors import UsageError
from hil.session.events import FaultInjected


def test_a_fault_is_an_event_a_line_and_an_entry_of_the_summary(tmp_path: Path) -> None:
    recorder = Recorder()
    result = run_fake(tmp_path, reporters=(recorder,), inject=("frame-loss:at=1+4,frame=run",))
    events = recorder.of(FaultInjected)
    assert [(event.kind, event.sample) for event in events] == [("frame-loss", 1), ("frame-loss", 4)]
    assert "run to the device" in events[0].detail
    assert result.summary["faults"] == {
        "injected": {"frame-loss": 2},
        "outcomes": {"frame-loss": {"retried": 2}},
    }
    lines = [json.loads(line) for line in (result.folder / "events.jsonl").read_text().splitlines()]
    assert [line["sample"] for line in lines if line["event"] == "FaultInjected"] == [1, 4]
    assert result.summary["valid"], "a repeated frame costs time and nothing else"


def test_a_run_without_faults_says_so(tmp_path: Path) -> None:
    assert run_fake(tmp_path).summary["faults"] is None


def test_a_fault_that_never_took_place_is_not_counted(tmp_path: Path) -> None:
    result = run_fake(
        tmp_path, inject=("frame-loss:at=2,frame=reply,frames=1",), server=FakeServer(dies_at=2)
    )
    assert result.summary["faults"]["injected"] == {"frame-loss": 1}, "a reply that says there is no answer"
    result = run_fake(tmp_path, inject=("bit-error-before-crc:at=2,frame=reply",), radio="wifi-6m:loss=1")
    assert result.summary["faults"]["injected"] == {"bit-error-before-crc": 0}
    assert "not-injected" in [issue["code"] for issue in result.summary["issues"]]


def test_the_same_seed_brings_the_same_faults_and_another_one_others(tmp_path: Path) -> None:
    def details(seed: int) -> list[str]:
        recorder = Recorder()
        order = ("frame-loss:rate=0.5", "bit-error-after-crc:rate=0.5")
        run_fake(tmp_path, reporters=(recorder,), inject=order, seed=seed, n=12)
        return [f"{event.sample} {event.detail}" for event in recorder.of(FaultInjected)]

    assert details(3) == details(3)
    assert details(3) != details(4)


def test_a_server_half_that_is_not_ours_cannot_be_broken(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="hil starts itself"):
        run_fake(tmp_path, inject=("server-crash",))


def test_frames_lost_for_good_lead_to_the_device_alone_or_to_a_second_attempt(tmp_path: Path) -> None:
    result = run_fake(tmp_path, inject=("link-outage:at=2,seconds=3,frame=payload",))
    assert result.summary["faults"]["outcomes"]["link-outage"] in ({"fallback": 1}, {"retried": 1})
    assert len(result.records) == 6
