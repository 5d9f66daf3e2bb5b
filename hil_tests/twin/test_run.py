"""`hil run` as a user types it: both halves, the modelled radio, and what may go wrong in mid-run."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hil_tests.patience import PATIENCE_S, eventually
from hil_tests.twin import firmware

pytestmark = pytest.mark.twin

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(digits_bundle: Path, tmp_path: Path) -> Start:
    """Starts `hil run` on the digits bundle; its run folder is the only one in tmp_path/runs."""
    if not firmware.have_compiler():
        pytest.skip(f"{firmware.GCC} is not on PATH")

    def make(*arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "hil", "run", "--bundle", str(digits_bundle)]
        command += ["--out", str(tmp_path / "runs"), *map(str, arguments)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return make


def summary_of(process: subprocess.Popen[str], code: int = 0) -> dict[str, Any]:
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code, err
    loaded: dict[str, Any] = json.loads(out)
    return loaded


def wait_for(path: Path, pattern: str, text: str) -> None:
    """Until a file that matches `pattern` below `path` holds `text`."""
    eventually(
        lambda: any(text in file.read_text(errors="replace") for file in path.glob(pattern)),
        f"{text!r} never came to {pattern}",
    )


def children_of(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


def test_a_run_agrees_with_the_host_and_its_parts_add_up(start: Start) -> None:
    summary = summary_of(start("--json", "--n", 40, "--server-ms", 2))
    assert summary["valid"], summary["issues"]
    assert summary["host_agreement"] == 1.0
    assert summary["outcomes"]["answered"] == 40
    assert abs(summary["accuracy"] - summary["float_accuracy"]) < 0.051, "at most two samples of 40"
    latency = summary["latency_ms"]
    parts = sum(latency[part] for part in ("local", "link", "remote", "fuse"))
    assert parts == pytest.approx(latency["mean"], rel=0.01)
    assert set(latency["sources"].values()) == {"twin_cycles", "modelled"}
    assert summary["energy_mj"]["source"] == "modelled"
    assert 0 < summary["memory"]["stack_peak_bytes"] < summary["memory"]["stack_reserved_bytes"]
    assert sum(layer["cycles"] for layer in summary["cycles"]["per_layer"]) > 10_000


def test_two_runs_of_one_seed_give_the_same_figures(start: Start) -> None:
    one, other = (summary_of(start("--json", "--n", 8, "--seed", 5, "--server-ms", 2)) for _ in range(2))
    for key in ("accuracy", "latency_ms", "cycles", "energy_mj", "memory", "payload_bytes"):
        assert one[key] == other[key]


def test_a_deadline_that_cannot_be_met_is_answered_by_the_local_half(start: Start) -> None:
    summary = summary_of(
        start("--json", "--n", 5, "--radio", "ble-270k", "--deadline-ms", 5, "--server-ms", 1)
    )
    assert summary["fallbacks"] == 5
    assert summary["host_agreement"] == 1.0
    assert summary["latency_ms"]["p99"] < 7.0, "the answer comes at the deadline, not later"


def test_a_lossy_radio_costs_retransmissions_and_no_sample(start: Start) -> None:
    summary = summary_of(start("--json", "--n", 20, "--radio", "wifi-6m:loss=0.3", "--server-ms", 1))
    assert summary["radio_retransmissions"] > 0
    assert summary["outcomes"]["failed"] == 0
    assert summary["outcomes"]["answered"] + summary["fallbacks"] == 20


def test_an_outage_in_mid_run_is_answered_by_the_local_half_and_the_rest_as_ever(
    start: Start, tmp_path: Path
) -> None:
    radio = "wifi-6m:loss=0.2,burst=4,outage=40%+20%"
    summary = summary_of(start("--json", "--n", 10, "--radio", radio, "--deadline-ms", 60, "--server-ms", 1))
    assert summary["valid"], summary["issues"]
    assert summary["host_agreement"] == 1.0
    assert summary["latency_ms"]["p99"] < 62.0, "the answer comes at the deadline, not later"
    (samples,) = (tmp_path / "runs").glob("*/samples.csv")
    with samples.open() as rows:
        outcomes = [row["outcome"] for row in csv.DictReader(rows)]
    assert outcomes[4:6] == ["fallback"] * 2
    assert outcomes.count("answered") >= 5


def test_a_server_killed_in_mid_run_leaves_fallbacks_and_says_so(start: Start, tmp_path: Path) -> None:
    process = start("--json", "--n", 300)
    wait_for(tmp_path, "runs/*/events.jsonl", "SampleFinished")
    for child in children_of(process.pid):
        os.kill(child, signal.SIGKILL)
    summary = summary_of(process, code=1)
    outcomes = summary["outcomes"]
    assert outcomes["fallback"] > 0
    assert outcomes["answered"] + outcomes["fallback"] == 300, "no sample is lost"
    assert "server-lost" in [issue["code"] for issue in summary["issues"]]
    assert summary["host_agreement"] == 1.0


def test_an_interrupted_run_leaves_a_valid_partial_folder_and_no_child(start: Start, tmp_path: Path) -> None:
    process = start("--plain", "--n", 5000)
    wait_for(tmp_path, "runs/*/events.jsonl", "SampleFinished")
    children = children_of(process.pid)
    assert children, "the server half is a process of its own"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    (folder,) = (tmp_path / "runs").iterdir()
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["partial"]
    assert not summary["valid"]
    rows = (folder / "samples.csv").read_text().splitlines()
    assert len(rows) - 1 == summary["samples"] > 0
    eventually(
        lambda: not any(Path(f"/proc/{child}").exists() for child in children), "a child outlived the run"
    )


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [
        (("--scheme", "agilen"), "agilenn"),
        (("--board", "twn"), "twin"),
        (("--dataset", "digit"), "digits"),
        (("--radio", "wifi-6"), "wifi-6m"),
    ],
)
def test_a_misspelt_name_is_refused_with_the_nearest_one(
    start: Start, arguments: tuple[str, str], nearest: str
) -> None:
    process = start(*arguments)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2
    assert nearest in err


def test_a_corrupt_bundle_is_refused(start: Start, tmp_path: Path) -> None:
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"\xff" * 100)
    process = start("--bundle", bad)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2
    assert "bad.safetensors" in err.replace("\n", "")
