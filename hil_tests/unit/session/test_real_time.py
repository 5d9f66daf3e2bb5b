"""A session with a board whose channel runs on the host's clock, and that may be slower than the chip."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hil_tests.unit.session.fake_channel import VirtualWire
from hil_tests.unit.session.fake_device import FakeDevice, Model
from hil_tests.unit.session.fakes import INFO, FakeBoard, FakeRunning, run_fake

from hil.boards.protocol import BoardInfo
from hil.measure.source import Source
from hil.session.exchange import COMPUTE_MAX_S
from hil.session.tolerance import REAL_S

DESK = replace(INFO, virtual_time=False, time_source=Source.MEASURED_DWT)


class SlowChannel:
    """The host's clock runs `factor` times as fast as the device's."""

    def __init__(self, wire: VirtualWire, factor: float) -> None:
        self._wire, self._factor = wire, factor

    def now_s(self) -> float:
        return self._wire.now_s() * self._factor

    def byte_s(self) -> float:
        return self._wire.byte_s() * self._factor

    def write(self, data: bytes, at_s: float | None = None) -> None:
        self._wire.write(data, None if at_s is None else at_s / self._factor)

    def read(self, until_s: float) -> bytes:
        return self._wire.read(until_s / self._factor)


class SlowBoard(FakeBoard):
    def __init__(self, model: Model, info: BoardInfo, factor: float) -> None:
        super().__init__(model, info=info)
        self._factor = factor

    def start(self, image: Path) -> FakeRunning:
        wire = VirtualWire(noise=self.noise)
        FakeDevice(wire, self.model, self.mishaps)
        running = FakeRunning(wire)
        running.channel = SlowChannel(wire, self._factor)  # type: ignore[assignment]
        self.started.append(running)
        return running


def run_slow(folder: Path, info: BoardInfo, factor: float, **settings: Any) -> dict[str, Any]:
    board = SlowBoard(Model(compute_s=settings.pop("compute_s", 0.004)), info, factor)
    return run_fake(folder, board, server_ms=2.0, **{"n": 2, **settings}).summary


@pytest.mark.parametrize("factor", [1.0, 5.0])
def test_a_board_slower_than_the_chip_is_waited_for(tmp_path: Path, factor: float) -> None:
    info = replace(DESK, slowness=factor)
    summary = run_slow(tmp_path, info, factor, compute_s=0.9 * COMPUTE_MAX_S, radio="none")
    assert summary["outcomes"]["answered"] == 2
    assert summary["host_agreement"] == 1.0
    assert summary["retransmissions"] == 0


def test_one_that_nobody_said_is_slow_counts_as_silent(tmp_path: Path) -> None:
    summary = run_slow(tmp_path, DESK, 5.0, compute_s=0.9 * COMPUTE_MAX_S, radio="none", n=1)
    assert summary["outcomes"]["failed"] == 1
    assert "device-lost" in {issue["code"] for issue in summary["issues"]}


@pytest.mark.parametrize(("latency_ms", "drifts"), [(0.5, False), (20, True)])
def test_a_wait_that_is_not_what_was_scheduled_is_told(
    tmp_path: Path, latency_ms: float, drifts: bool
) -> None:
    """At half the pace the device counts half of the radio's time, in each direction."""
    assert 2 * 0.0005 < REAL_S < 2 * 0.02 / 2
    summary = run_slow(
        tmp_path, replace(DESK, slowness=2.0), 2.0, radio=f"custom:bandwidth=10M,latency={latency_ms}ms"
    )
    issues = {issue["code"]: issue for issue in summary["issues"]}
    assert ("clock-drift" in issues) is drifts
    assert summary["valid"], "it is a remark"
    if drifts:
        assert "the host was late, or the board's clock is slow" in issues["clock-drift"]["hint"]


def test_what_a_board_learns_in_a_run_is_in_its_provenance(tmp_path: Path) -> None:
    class Learning(FakeBoard):
        def provenance(self) -> dict[str, Any]:
            return {"starts": len(self.started)}

    assert run_fake(tmp_path, Learning()).summary["provenance"]["board"] == {"starts": 1}
