"""Faults of the host, injected into runs: nothing measured is lost, and no run hangs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hil.cli import main
from hil.faults.outcome import Outcome
from hil.faults.trial import Trial
from hil.report.run_data import read_run
from hil.report.stored import runs_in
from hil.session.manifest import State, verify
from hil_tests.twin import firmware
from hil_tests.twin.desk import Desk, Runs
from hil_tests.twin.test_faults_device import ends
from hil_tests.twin.test_probe_board import codes, outcome

pytestmark = [
    pytest.mark.twin,
    pytest.mark.skipif(not firmware.have_compiler(), reason=f"{firmware.GCC} is not on PATH"),
]

Faults = Callable[..., Trial]


def test_a_full_disk_ends_the_run_with_the_sample_kept(faults: Faults, tmp_path: Path) -> None:
    trial = faults("disk-full:at=3", n=8)
    assert trial.outcomes("disk-full") == {Outcome.ANSWERED: 1}
    assert "No space left" in trial.error
    (folder,) = runs_in(tmp_path / "runs")
    assert verify(folder).state is State.INTACT
    data = read_run(folder)
    assert data.summary["partial"] is True
    assert [record.index for record in data.records] == [0, 1, 2, 3]


def test_a_killed_run_is_partial_and_can_be_verified_and_reported(
    faults: Faults, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trial = faults("orchestrator-kill:at=3", n=8)
    assert trial.outcomes("orchestrator-kill") == {Outcome.FAILED: 1}
    assert "SIGKILL" in trial.error
    (folder,) = runs_in(tmp_path / "runs")
    assert main(["verify", str(folder)]) == 1
    assert "partial (3 samples" in capsys.readouterr().out
    assert main(["report", str(folder), "-f", "md"]) == 0
    report = capsys.readouterr().out
    assert "it was killed before it could close its folder" in report
    assert main(["compare", str(folder), str(folder), "--allow-partial"]) == 0
    assert main(["timeline", str(folder), "-o", str(tmp_path / "t.svg")]) == 0
    assert main(["compare", str(folder), str(folder)]) == 2


def test_a_clock_that_jumps_changes_nothing(faults: Faults) -> None:
    trial = faults("clock-jump:rate=0.6", n=8)
    assert set(ends(trial, "clock-jump")) == {Outcome.ANSWERED}
    assert trial.summary["valid"] is True
    plain = faults(n=8)
    assert plain.summary["latency_ms"] == trial.summary["latency_ms"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def test_cables_that_are_pulled_cost_a_second_try_or_end_the_run(
    desk: Desk, digits_bundle: Path, tmp_path: Path
) -> None:
    runs = Runs(desk, digits_bundle, tmp_path / "runs")
    orders = ("--inject", "serial-unplugged:at=1,frame=run", "--inject", "probe-unplugged:at=4,frame=run")
    error = outcome(runs.start("--n", 6, *orders), code=2)["error"]
    assert "probe" in error["message"]
    (folder,) = runs_in(runs.out)
    assert verify(folder).state is State.INTACT
    data = read_run(folder)
    assert data.summary["faults"]["injected"] == {"probe-unplugged": 1, "serial-unplugged": 1}
    assert data.summary["faults"]["outcomes"]["serial-unplugged"] == {"retried": 1}
    assert data.summary["host_agreement"] == 1.0
    assert [record.index for record in data.records] == [0, 1, 2, 3]
    assert {"partial", "device-lost"} <= codes(dict(data.summary))
