"""A run folder can be read whenever its run was killed, and a full disk is an error before data is lost."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hil_tests.unit.crashes import Killed, killed_at
from hil_tests.unit.session.fakes import FakeServer, Recorder, run_fake

from hil.errors import SessionError
from hil.report.run_data import find_run, read_run
from hil.report.run_formats import run_junit, run_markdown
from hil.session import room
from hil.session.events import SampleFinished
from hil.session.manifest import State, verify


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def runs(folder: Path) -> list[Path]:
    """Those that have their name: what is hidden has measured nothing."""
    return [path for path in (folder / "runs").glob("*") if not path.name.startswith(".")]


def assert_readable(run: Path) -> int:
    """Reads it in every way; returns how many samples it has."""
    data = read_run(run)
    closed = (run / "MANIFEST.sha256").exists()
    assert verify(run).state is (State.INTACT if closed else State.PARTIAL)
    assert data.summary["samples"] == len(data.records)
    assert closed or any(issue["code"] == "no-manifest" for issue in data.summary["issues"])
    assert data.summary["partial"] or len(data.records) == data.summary["samples_asked"]
    assert not data.summary["valid"] or not data.summary["partial"]
    assert run_markdown(data)
    assert run_junit(data)
    return len(data.records)


def test_a_run_killed_at_any_write_leaves_a_folder_that_can_be_read(tmp_path: Path) -> None:
    with killed_at(1 << 30) as calls:
        run_fake(made(tmp_path / "whole"), n=2, server=FakeServer())
    seen = set()
    for number in range(len(calls)):
        place = made(tmp_path / str(number))
        with killed_at(number), contextlib.suppress(Killed):
            run_fake(place, n=2, server=FakeServer())
        for run in runs(place):
            seen.add(assert_readable(run))
    assert len(calls) > 40
    assert seen == {0, 1, 2}


def test_a_folder_has_its_name_no_sooner_than_a_summary(tmp_path: Path) -> None:
    for number in range(12):
        place = made(tmp_path / str(number))
        with killed_at(number), contextlib.suppress(Killed):
            run_fake(place, n=1)
        for run in runs(place):
            assert json.loads((run / "summary.json").read_text())["partial"] is True
        if not runs(place) and (place / "runs").exists():
            assert find_run(place / "runs") == place / "runs"  # what is hidden is nobody's latest run


@pytest.mark.parametrize("seed", range(8))
def test_a_run_killed_by_the_system_keeps_every_sample_that_ended(tmp_path: Path, seed: int) -> None:
    read, write = os.pipe()

    class Telling(Recorder):
        def handle(self, event: Any) -> None:
            if isinstance(event, SampleFinished):
                os.write(write, b".")

    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            run_fake(tmp_path, n=100_000, reporters=(Telling(),))
        os._exit(1)
    os.close(write)
    told = os.read(read, 1)
    time.sleep(random.Random(seed).random() * 0.2)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while piece := os.read(read, 1 << 16):
        told += piece
    os.close(read)
    (run,) = runs(tmp_path)
    assert len(told) <= assert_readable(run) <= len(told) + 1
    rows = (run / "samples.csv").read_text().count("\n") - 1
    assert len(told) <= rows <= len(told) + 1


def test_a_rebuilt_summary_is_the_one_that_the_run_would_have_written(tmp_path: Path) -> None:
    folder = run_fake(tmp_path, n=5).folder
    whole = json.loads((folder / "summary.json").read_text())
    first = {**whole, "samples": 0, "partial": True, "valid": False, "issues": []}
    first |= {
        "accuracy": None,
        "outcomes": {},
        "energy_mj": {},
        "latency_ms": {**whole["latency_ms"], "p50": 0},
    }
    (folder / "summary.json").write_text(json.dumps(first))
    (folder / "MANIFEST.sha256").unlink()
    found = read_run(folder).summary
    differ = {key for key in whole if whole[key] != found[key]}
    # No event has a layer's cycles, a check of the firmware, or the board's clock.
    assert differ == {"partial", "valid", "issues", "cycles", "throughput", "integrity", "board_s"}
    assert {issue["code"] for issue in found["issues"]} == {"partial", "no-manifest"}


def test_a_run_without_any_summary_is_put_together_from_its_begin(tmp_path: Path) -> None:
    folder = run_fake(tmp_path, n=3).folder
    whole = json.loads((folder / "summary.json").read_text())
    for name in ("summary.json", "MANIFEST.sha256"):
        (folder / name).unlink()
    found = read_run(folder).summary
    for key in (
        "scheme",
        "radio",
        "samples",
        "accuracy",
        "latency_ms",
        "memory",
        "payload_bytes",
        "outcomes",
    ):
        assert found[key] == whole[key], key
    assert found["partial"] is True
    assert found.keys() == whole.keys()


@contextlib.contextmanager
def disk_of(size: int) -> Iterator[None]:
    """A disk that takes `size` bytes; what the reserve held can be written once it is released."""
    left = size - room.RESERVE_BYTES
    write, release = os.write, room.Reserve.release

    def writing(handle: int, data: Any) -> int:
        nonlocal left
        if left <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = write(handle, bytes(data)[:left])
        left -= done
        return done

    def releasing(reserve: room.Reserve) -> bool:
        nonlocal left
        held = release(reserve)
        left += room.RESERVE_BYTES * held
        return held

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", writing)
        patch.setattr(room.Reserve, "release", releasing)
        yield


def test_a_disk_that_fills_at_any_byte_ends_the_run_with_all_samples_kept(tmp_path: Path) -> None:
    whole = run_fake(made(tmp_path / "whole"), n=4).folder
    size = sum(path.stat().st_size for path in whole.rglob("*") if path.is_file())
    seen = set()
    for cut in range(room.RESERVE_BYTES + 200, room.RESERVE_BYTES + size, 997):
        place, recorder = made(tmp_path / str(cut)), Recorder()
        with disk_of(cut), pytest.raises(SessionError, match="No space left") as caught:
            run_fake(place, n=1000, reporters=(recorder,))
        assert caught.value.exit_code == 2
        for run in runs(place):
            found = verify(run)
            assert found.state is State.INTACT
            assert found.extra == ()
            data = read_run(run)
            assert data.summary["partial"] is True
            assert any("No space left" in issue["message"] for issue in data.summary["issues"])
            assert len(data.records) == data.summary["samples"] == len(recorder.of(SampleFinished))
            assert (run / "samples.csv").read_text().count("\n") == len(data.records) + 1
            seen.add(len(data.records))
    assert len(seen) > 2


def test_a_run_that_cannot_fit_is_refused_before_it_begins(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(room.shutil, "disk_usage", lambda place: type("Usage", (), {"free": 3 << 20}))
    with pytest.raises(SessionError, match=r"takes about .* MiB, and .* has 3\.0 MiB left"):
        run_fake(tmp_path, n=10_000)
    assert not (tmp_path / "runs").exists()
    run_fake(tmp_path, n=2)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_disk_that_is_full_indeed_leaves_a_closed_folder(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this container mounts nothing")

    class Filling(Recorder):
        def handle(self, event: Any) -> None:
            super().handle(event)
            if len(self.of(SampleFinished)) == 3 and not (disk / "ballast").exists():
                with contextlib.suppress(OSError), (disk / "ballast").open("wb", buffering=0) as file:
                    while True:
                        file.write(bytes(4096))

    try:
        recorder = Filling()
        with pytest.raises(SessionError, match="No space left"):
            run_fake(disk, n=500, reporters=(recorder,))
        (run,) = runs(disk)
        assert verify(run).state is State.INTACT
        assert assert_readable(run) == len(recorder.of(SampleFinished)) > 3
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
