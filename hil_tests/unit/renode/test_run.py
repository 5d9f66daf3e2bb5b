"""`hil run --renode` as a user types it, on the stand-in for Renode with its UART and DMA models."""

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

from hil.paths import cache_dir
from hil_tests.patience import PATIENCE_S, eventually
from hil_tests.twin import firmware
from hil_tests.unit.renode.conftest import MakeRenode

pytestmark = pytest.mark.twin

SAMPLES = 10
"""Enough for the firmware's receive ring to go round."""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(digits_bundle: Path, tmp_path: Path, make_renode: MakeRenode) -> Start:
    if not firmware.have_compiler():
        pytest.skip(f"{firmware.GCC} is not on PATH")
    program = make_renode()
    cache = tmp_path / "cache"
    cache.mkdir()
    for shared in ("bundles", "cmsis-nn", "firmware", "native"):  # built once, not once a test
        (cache_dir() / shared).mkdir(exist_ok=True)
        (cache / shared).symlink_to(cache_dir() / shared)

    def make(*arguments: object, faults: str = "") -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "hil", "run", "--bundle", str(digits_bundle), "--json"]
        command += ["--out", str(tmp_path / "runs"), "--server-ms", "2", *map(str, arguments)]
        environment = {**os.environ, "HIL_RENODE": str(program.parent), "FAKE_RENODE": faults}
        environment["HIL_CACHE"] = str(cache)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, text=True, env=environment, **pipes)  # type: ignore[call-overload,no-any-return]

    return make


def finish(process: subprocess.Popen[str], code: int = 0) -> dict[str, Any]:
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code, err
    loaded: dict[str, Any] = json.loads(out)
    return loaded


def folder(tmp_path: Path, board: str) -> Path:
    (found,) = tmp_path.glob(f"runs/*-{board}")
    return found


def predictions(path: Path) -> list[tuple[str, str]]:
    with (path / "samples.csv").open() as file:
        return [(row["sample"], row["prediction"]) for row in csv.DictReader(file)]


def assert_nothing_left(tmp_path: Path) -> None:
    """No process of this test's Renode, and no folder of its machine."""
    eventually(lambda: not left_behind(tmp_path), "a process outlived the run")
    assert list((tmp_path / "cache").glob("hil-renode-*")) == []


def left_behind(tmp_path: Path) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if f"{tmp_path}/cache/hil-renode-" in words:
            found.append(words)
    return found


def test_the_same_run_as_on_the_twin(start: Start, tmp_path: Path) -> None:
    runs = start("--n", SAMPLES, "--renode", "--renode-trace"), start("--n", SAMPLES)
    on_renode, on_twin = (finish(run) for run in runs)
    assert on_renode["valid"], on_renode["issues"]
    assert on_renode["issues"] == []
    assert on_renode["board"] == "renode"
    assert on_renode["host_agreement"] == 1.0
    assert on_renode["retransmissions"] == 0, "nothing was lost at the ends of the receive ring"
    assert predictions(folder(tmp_path, "renode")) == predictions(folder(tmp_path, "twin"))
    for key in ("accuracy", "payload_bytes", "outcomes"):
        assert on_renode[key] == on_twin[key]
    assert on_renode["latency_ms"]["link"] == pytest.approx(on_twin["latency_ms"]["link"], abs=0.2)
    assert_labelled(on_renode, folder(tmp_path, "renode"))
    assert_nothing_left(tmp_path)


def assert_labelled(summary: dict[str, Any], path: Path) -> None:
    latency = summary["latency_ms"]
    assert summary["cycles"]["source"] == latency["source"] == "renode_instructions"
    assert latency["modelled"]["source"] == "modelled"
    ratio = latency["modelled"]["cycles_per_instruction"]
    assert latency["modelled"]["local"] == pytest.approx(ratio * latency["local"])
    assert summary["provenance"]["board"]["performance_in_mips"] == 216
    assert summary["provenance"]["board"]["renode"] == "1.16.1"
    assert all(layer["cycles"] for layer in summary["cycles"]["per_layer"])
    assert summary["memory"]["stack_peak_bytes"] > 0
    kept = {path.name for path in path.iterdir()}
    assert {"renode.log", "renode-profile.bin", "renode-stacks.txt", "MANIFEST.sha256"} <= kept


def test_two_runs_of_one_seed_give_the_same_figures(start: Start) -> None:
    runs = [start("--n", 3, "--seed", 5, "--renode") for _ in range(2)]
    one, other = (finish(run) for run in runs)
    for key in ("accuracy", "latency_ms", "cycles", "energy_mj", "memory", "payload_bytes"):
        assert one[key] == other[key]


def test_renode_dies_in_mid_run_and_the_run_goes_on(start: Start, tmp_path: Path) -> None:
    summary = finish(start("--n", 4, "--renode", faults="die:150"), code=1)
    assert "device-lost" in [issue["code"] for issue in summary["issues"]]
    assert "Segmentation fault" in (folder(tmp_path, "renode") / "renode.log").read_text()
    assert_nothing_left(tmp_path)


def test_a_refused_command_ends_the_run_and_leaves_the_log(start: Start, tmp_path: Path) -> None:
    error = finish(start("--n", 4, "--renode", faults="refuse:LoadELF"), code=2)["error"]
    assert error["code"] == "board"
    assert "Parameters did not match" in error["message"]
    assert "LoadELF" in (folder(tmp_path, "renode") / "renode.log").read_text()
    assert_nothing_left(tmp_path)


def test_ctrl_c_leaves_a_partial_folder_and_no_process(start: Start, tmp_path: Path) -> None:
    process = start("--n", 2000, "--renode")
    eventually(
        lambda: any("SampleFinished" in path.read_text() for path in tmp_path.glob("runs/*/events.jsonl"))
    )
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    summary = json.loads((folder(tmp_path, "renode") / "summary.json").read_text())
    assert summary["partial"]
    assert 0 < summary["samples"] < 2000
    assert_nothing_left(tmp_path)


@pytest.mark.parametrize(("faults", "told"), [("old", "is Renode 1.14.0"), ("foreign", "does not tell")])
def test_another_version_is_refused_before_anything_is_built(
    start: Start, tmp_path: Path, faults: str, told: str
) -> None:
    error = finish(start("--renode", faults=faults), code=2)["error"]
    assert told in error["message"]
    assert not (tmp_path / "runs").exists()


def test_no_renode_is_exit_code_2_with_three_ways(start: Start) -> None:
    error = finish(start("--renode", "--renode-path", "/nowhere/renode"), code=2)["error"]
    assert "--renode-path names /nowhere/renode" in error["message"]
    assert "antmicro/renode" in error["hint"]


@pytest.mark.parametrize("option", [["--gdb", "3333"], ["--renode-trace"], ["--renode-path", "x"]])
def test_renodes_options_belong_to_renode(start: Start, option: list[str]) -> None:
    assert "is for Renode" in finish(start(*option), code=2)["error"]["message"]
