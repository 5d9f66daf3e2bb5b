"""The whole path on a physical board: flash, reset, greet, run. Needs a probe; see docs/bring-up.md."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hil.boards.probe import ProbeBoard
from hil.deploy.deployment import Deployment
from hil.session.handshake import Handshake
from hil.wire.protocol import ResetCause
from hil.wire.to_host import Capability
from hil.wire.transport import Transport

pytestmark = pytest.mark.hardware

SAMPLES = 20
LATENCY_MS = 50.0
"""Of the radio, each way: long beside what USB and a scheduler add."""


def greet(board: ProbeBoard, deployment: Deployment) -> Capability:
    with board.start(deployment.elf) as running:
        handshake = Handshake(board.info, deployment, 1_000_000, running.check)
        return handshake.perform(Transport(running.channel))


def test_a_flashed_board_introduces_itself_as_what_was_flashed(
    board: ProbeBoard, deployment: Deployment
) -> None:
    capability = greet(board, deployment)
    assert capability.bundle_hash == deployment.bundle_hash
    assert capability.clock_hz == deployment.clock_hz


def test_a_second_start_writes_nothing(board: ProbeBoard, deployment: Deployment) -> None:
    greet(board, deployment)
    flashed = board.provenance()["bytes_flashed"]
    capability = greet(board, deployment)
    assert capability.reset_cause is ResetCause.PIN, "the probe pulled NRST, and nothing else did"
    assert board.provenance()["bytes_flashed"] == flashed
    assert board.provenance()["bytes_kept"] > 10_000


@pytest.fixture(scope="module")
def summary(
    board: ProbeBoard, digits_bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("runs")
    command = [sys.executable, "-m", "hil", "run", "--board", "stm32f746", "--json", "--n", str(SAMPLES)]
    command += ["--server-ms", "2", "--radio", f"custom:bandwidth=10M,latency={LATENCY_MS}ms"]
    command += ["--bundle", str(digits_bundle), "--out", str(out), "--probe", board.provenance()["probe"]]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert answer.returncode == 0, answer.stderr
    loaded: dict[str, Any] = json.loads(answer.stdout)
    return loaded


def test_a_run_agrees_with_the_host_and_loses_nothing(summary: dict[str, Any]) -> None:
    assert summary["host_agreement"] == 1.0
    assert summary["outcomes"]["failed"] == 0
    assert summary["valid"], summary["issues"]


def test_its_figures_carry_their_origin(summary: dict[str, Any], board: ProbeBoard) -> None:
    source = str(board.info.time_source)
    assert summary["cycles"]["source"] == source
    assert summary["latency_ms"]["sources"]["local"] == source
    assert summary["provenance"]["board"]["probe"] == board.provenance()["probe"]


def test_the_cycle_counter_keeps_the_hosts_time(summary: dict[str, Any], board: ProbeBoard) -> None:
    """A wait that the host scheduled comes out of the counter as long as it was, and not much longer."""
    if board.info.slowness > 1:
        pytest.skip("an emulator's clock may fall behind the host's")
    assert 0.99 * 2 * LATENCY_MS <= summary["latency_ms"]["link"] <= 1.1 * 2 * LATENCY_MS
