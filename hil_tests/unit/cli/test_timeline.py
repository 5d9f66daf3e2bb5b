"""`hil timeline` draws what a run folder says."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from hil.cli.app import invoke
from hil.errors import UsageError
from hil.session.events import SampleFinished
from hil.session.rows import event_object
from hil_tests.unit.report.feed import sample
from hil_tests.unit.report.test_timeline import RECORD, SUMMARY


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of a failed sample and one that was answered; the current folder is an empty one."""
    run = tmp_path / "run"
    run.mkdir()
    feed = [SampleFinished(sample(0, latency_ms=None)), SampleFinished(RECORD)]
    lines = [json.dumps(event_object(event, 0.0)) for event in feed]
    (run / "events.jsonl").write_text("\n".join(lines) + "\n")
    (run / "summary.json").write_text(json.dumps({**SUMMARY, "schema": 1, "partial": False}))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return run


def test_the_median_sample_goes_to_a_file_of_its_name(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["timeline", str(folder)]) == 0
    assert capsys.readouterr().out == "timeline-3.svg\n"
    assert "sample 3" in "".join(ET.parse("timeline-3.svg").getroot().itertext())


def test_the_run_folder_stays_as_its_manifest_says(folder: Path) -> None:
    before = sorted(folder.iterdir())
    invoke(["timeline", str(folder), "--sample", "3", "-o", "one.svg"])
    assert Path("one.svg").is_file()
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("number", ["0", "7"])
def test_a_sample_without_a_latency_is_refused(folder: Path, number: str) -> None:
    with pytest.raises(UsageError, match=f"no sample {number} with a latency"):
        invoke(["timeline", str(folder), "--sample", number])


def test_a_file_that_cannot_be_written_is_said(folder: Path) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        invoke(["timeline", str(folder), "-o", "no/such/folder.svg"])
