"""`hil run --board stm32f746` as on a physical board: pyOCD, a pty, and all that goes wrong on a desk.

A real board differs in the probe's ID, and in that its figures are measured.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hil.probe.client import DeskClient
from hil_tests.patience import PATIENCE_S, eventually
from hil_tests.twin import firmware
from hil_tests.twin.desk import Desk, Runs

pytestmark = pytest.mark.twin

HARMLESS = {"wire-bottleneck", "clock-drift"}
"""What a slow wire and a busy host bring about in real time."""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    if not firmware.have_compiler():
        pytest.skip(f"{firmware.GCC} is not on PATH")
    desk = Desk(tmp_path)
    yield desk
    desk.close()


@pytest.fixture
def runs(desk: Desk, digits_bundle: Path, tmp_path: Path) -> Runs:
    return Runs(desk, digits_bundle, tmp_path / "runs")


def outcome(process: subprocess.Popen[str], code: int = 0) -> dict[str, Any]:
    """The one JSON document of a run that ends with `code`."""
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code, err
    loaded: dict[str, Any] = json.loads(out)
    return loaded


def codes(summary: dict[str, Any]) -> set[str]:
    return {issue["code"] for issue in summary["issues"]}


def test_a_run_is_flashed_greeted_and_agrees_and_the_next_one_writes_nothing(runs: Runs, desk: Desk) -> None:
    first = outcome(runs.start("--n", 5))
    assert first["host_agreement"] == 1.0
    assert first["outcomes"]["answered"] == 5
    assert codes(first) <= HARMLESS
    assert first["cycles"]["source"] == "twin_cycles", (
        "a model does not become a measurement by being flashed"
    )
    assert first["latency_ms"]["sources"]["local"] == "twin_cycles"
    board = first["provenance"]["board"]
    assert (board["folder"], board["probe"]) == ("nucleo_f746zg", desk.unique_id)
    assert board["serial_port"] == desk.entry.serial
    assert board["bytes_flashed"] >= first["memory"]["flash_bytes"]
    assert board["bytes_kept"] == 0
    second = outcome(runs.start("--n", 2))["provenance"]["board"]
    assert (second["bytes_flashed"], second["bytes_kept"]) == (0, board["bytes_flashed"])


def test_power_lost_while_flashing_is_put_right_by_the_next_run(runs: Runs, desk: Desk) -> None:
    desk.call("cut_power", after_bytes=10_000)
    error = outcome(runs.start("--n", 2), code=2)["error"]
    assert error["code"] == "board"
    assert not desk.call("state")["powered"]
    torn = desk.flash.read_bytes()
    written = len(torn.rstrip(b"\xff")) - (len(torn) - len(torn.lstrip(b"\xff")))
    assert 0 < written <= 2 * 10_000, "some of the image is in flash"
    assert torn[:8] == b"\xff" * 8, "and it cannot start"
    desk.call("power", on=True)
    summary = outcome(runs.start("--n", 2))
    assert summary["host_agreement"] == 1.0
    assert summary["provenance"]["board"]["bytes_flashed"] > 10_000


def test_a_board_without_power_is_told(runs: Runs, desk: Desk) -> None:
    desk.call("power", on=False)
    error = outcome(runs.start("--n", 2), code=2)["error"]
    assert desk.unique_id in error["message"]
    assert "power" in error["hint"]


def test_a_cable_that_is_out_for_a_while_costs_no_sample(runs: Runs, desk: Desk) -> None:
    process = runs.start("--n", 40)
    runs.saw("SampleFinished")
    desk.call("cable", plugged=False)
    runs.saw("device-lost")
    desk.call("cable", plugged=True)
    summary = outcome(process, code=1)
    assert summary["samples"] == 40
    assert summary["outcomes"]["failed"] == 0
    assert summary["host_agreement"] == 1.0
    assert "device-lost" in codes(summary), "it is not hidden"


def test_a_cable_that_stays_out_ends_the_run_with_what_it_has(runs: Runs, desk: Desk) -> None:
    process = runs.start("--n", 2000)
    runs.saw("SampleFinished")
    desk.call("cable", plugged=False)
    error = outcome(process, code=2)["error"]
    assert "did not introduce itself" in error["message"]
    (folder,) = runs.out.iterdir()
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["partial"]
    rows = (folder / "samples.csv").read_text().splitlines()
    assert len(rows) - 1 == summary["samples"] > 0


def test_a_busy_probe_is_told(runs: Runs, desk: Desk) -> None:
    with DeskClient(desk.entry):
        error = outcome(runs.start("--n", 2), code=2)["error"]
    assert "busy" in error["message"]
    assert desk.unique_id in error["message"]


def test_a_board_that_is_gone_in_mid_run_ends_it(runs: Runs, desk: Desk) -> None:
    process = runs.start("--n", 2000)
    runs.saw("SampleFinished")
    desk.kill()
    outcome(process, code=2)
    (folder,) = runs.out.iterdir()
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["partial"]
    assert "device-lost" in codes(summary)


def test_firmware_for_the_other_board_is_not_flashed(runs: Runs, desk: Desk) -> None:
    error = outcome(runs.start("--n", 2, board="disco_f746g"), code=2)["error"]
    assert "is not on a disco_f746g" in error["message"]
    eventually(lambda: desk.call("state"), "no answer")
    assert not desk.flash.exists() or set(desk.flash.read_bytes()) == {0xFF}
