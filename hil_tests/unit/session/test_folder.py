"""The run folder holds what happened, and says so when it cannot."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import pytest
from hil_tests.unit.session.fakes import FakeBoard, Recorder, run_fake

from hil.errors import SessionError
from hil.session.events import Warned
from hil.session.folder import RunFolder
from hil.session.lines import Lines


def test_every_file_is_in_the_manifest_with_its_hash(tmp_path):
    folder = run_fake(tmp_path).folder
    lines = (folder / "MANIFEST.sha256").read_text().splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert {"summary.json", "samples.csv", "events.jsonl", "wire.jsonl", "server.log"} <= set(listed)
    assert {"artefacts/firmware.elf", "artefacts/manifest.json", "artefacts/bundle.sha256"} <= set(listed)
    for name, digest in listed.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_samples_are_rows_with_latency_energy_and_cycles(tmp_path):
    result = run_fake(tmp_path)
    with (result.folder / "samples.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert float(rows[0]["total_ms"]) == pytest.approx(result.records[0].latency_ms.total)
    assert int(rows[0]["wait_cycles"]) == result.records[0].cycles.wait
    assert rows[0]["agrees"] == "1"
    assert float(rows[0]["radio_mj"]) > 0


def test_the_transcript_holds_both_directions_as_whole_frames(tmp_path):
    folder = run_fake(tmp_path, n=1).folder
    lines = [json.loads(line) for line in (folder / "wire.jsonl").read_text().splitlines()]
    assert {line["dir"] for line in lines} == {"tx", "rx"}
    assert all(line["hex"].startswith("00") and line["hex"].endswith("00") for line in lines)
    assert [line["t"] for line in lines] == sorted(line["t"] for line in lines)


def test_a_transcript_can_be_left_out(tmp_path):
    assert not (run_fake(tmp_path, transcript=False).folder / "wire.jsonl").exists()


def test_no_file_names_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = run_fake(tmp_path).folder
    for path in folder.rglob("*"):
        if path.is_file():
            assert str(tmp_path).encode() not in path.read_bytes(), path.name


def test_two_runs_in_the_same_second_get_two_folders(tmp_path):
    folders = [RunFolder.create(tmp_path, "twice") for _ in range(3)]
    assert len({folder.path for folder in folders}) == 3
    for folder in folders:
        folder.publish({})
    first, second, third = (folder.path.name for folder in folders)
    assert [second, third] == [f"{first}-2", f"{first}-3"]
    assert {path.name for path in tmp_path.iterdir()} == {first, second, third}


def test_an_out_folder_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "runs").write_text("a file is in the way")
    with pytest.raises(SessionError, match="cannot write") as caught:
        run_fake(tmp_path)
    assert caught.value.exit_code == 2
    assert "--out" in caught.value.hint


@pytest.mark.parametrize("stream", ["_samples", "_events"])
def test_a_full_disk_ends_the_run_with_a_clear_error_and_stops_the_board(tmp_path, monkeypatch, stream):
    create = RunFolder.create

    def create_nearly_full(out: Path, name: str, transcript: bool = True) -> RunFolder:
        folder = create(out, name, transcript)
        getattr(folder, stream).close()
        setattr(folder, stream, Lines(Path("/dev/full")))
        return folder

    monkeypatch.setattr(RunFolder, "create", create_nearly_full)
    recorder, board = Recorder(), FakeBoard()
    with pytest.raises(SessionError, match="No space left"):
        run_fake(tmp_path, board, reporters=(recorder,))
    assert all(running.stopped for running in board.started)
    assert recorder.closed == 1
    assert recorder.summary["partial"] is True
    summary = next((tmp_path / "runs").glob("*/summary.json"))
    assert json.loads(summary.read_text())["valid"] is False


def test_a_killed_run_leaves_a_summary_that_says_partial(tmp_path):
    class Peeking(Recorder):
        def handle(self, event):
            super().handle(event)
            for path in (tmp_path / "runs").glob("*/summary.json"):
                self.seen = json.loads(path.read_text())

    recorder = Peeking()
    run_fake(tmp_path, reporters=(recorder,))
    assert recorder.seen["partial"] is True
    assert recorder.seen["valid"] is False
    assert recorder.seen["latency_ms"]["mean"] is None


def test_a_write_that_fails_leaves_the_earlier_file_and_no_rest(tmp_path, monkeypatch):
    folder = RunFolder.create(tmp_path, "whole")
    folder.write_json("summary.json", {"old": True})

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(SessionError):
        folder.write_json("summary.json", {"new": True})
    assert json.loads((folder.path / "summary.json").read_text()) == {"old": True}
    assert not list(folder.path.glob("*.part"))


def test_events_are_on_disk_as_soon_as_they_happen(tmp_path):
    folder = RunFolder.create(tmp_path, "soon")
    folder.record(Warned("odd", "something", "look"))
    line = json.loads((folder.path / "events.jsonl").read_text())
    assert (line["event"], line["code"]) == ("Warned", "odd")
