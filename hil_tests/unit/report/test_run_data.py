"""What a report reads of a run folder, whole or damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hil.errors import UsageError
from hil.report.run_data import read_run
from hil_tests.unit.report.run_folders import full_summary, records, write_run


def test_a_folder_its_summary_and_its_parent_name_the_same_run(tmp_path: Path) -> None:
    write_run(tmp_path / "20260101T000000Z-old", full_summary(seed=1))
    folder = write_run(tmp_path / "20260102T000000Z-new")
    for path in (folder, folder / "summary.json", tmp_path):
        data = read_run(path)
        assert (data.name, data.summary["seed"], len(data.records)) == ("20260102T000000Z-new", 0, 12)
        assert data.plan is not None
        assert data.missing == {}


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no summary\.json"):
        read_run(tmp_path)


def test_samples_before_a_torn_line_are_kept(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    text = (folder / "events.jsonl").read_text()
    (folder / "events.jsonl").write_text(text[: len(text) // 2])
    data = read_run(folder)
    assert 0 < len(data.records) < 12
    assert "last line of events.jsonl is torn" in data.missing["samples"]


def test_samples_before_a_damaged_line_are_kept(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    lines = (folder / "events.jsonl").read_bytes().splitlines(keepends=True)
    lines[5] = bytes(len(lines[5]) - 1) + b"\n"  # as a loss of power can leave a block
    (folder / "events.jsonl").write_bytes(b"".join(lines))
    data = read_run(folder)
    assert len(data.records) == 5
    assert "up to sample 5 only" in data.missing["samples"]


@pytest.mark.parametrize("field", ["label", "prediction", "sample", "payload_bytes", "outcome"])
@pytest.mark.parametrize("value", ["<b>", -1, 1.5, [1]])
def test_a_sample_of_odd_types_is_left_out(tmp_path: Path, field: str, value: object) -> None:
    folder = write_run(tmp_path / "run", found=records(2))
    lines = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    lines[0]["record"][field] = value
    (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    data = read_run(folder)
    assert [record.index for record in data.records] == [1]
    assert "no samples and were left out" in data.missing["samples"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"layers": [], "buffers": [{"name": 1}], "arenas": {}}'])
def test_a_damaged_plan_is_left_out(tmp_path: Path, text: str) -> None:
    folder = write_run(tmp_path / "run")
    (folder / "artefacts/memory.json").write_text(text)
    data = read_run(folder)
    assert data.plan is None
    assert "memory.json" in data.missing["memory"]
