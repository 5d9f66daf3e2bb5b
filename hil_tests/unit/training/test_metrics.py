"""Every epoch's figures, in a file beside the bundle, and when it all ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.cli import main
from hil.data import registry as datasets
from hil.errors import TrainingError
from hil.schemes.agilenn import AgileNN
from hil.training import api, metrics
from hil.training.progress import Progress, left, silent
from hil.training.run import Run
from hil_tests.unit.training.toy import RECIPE, Toy

PHASES = [("reference", 1), ("reference", 2), ("warm-up", 1), ("train", 1), ("train", 2)]


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setitem(datasets._DATASETS, "toy", Toy())
    monkeypatch.setattr(AgileNN, "recipe", lambda self, dataset: RECIPE)
    monkeypatch.setenv("HIL_CACHE", str(tmp_path))
    return api.ensure_bundle("agilenn", "toy")


def test_every_epoch_has_its_figures(trained: Path) -> None:
    epochs = metrics.read(metrics.path_beside(trained))
    assert [(epoch["phase"], epoch["epoch"]) for epoch in epochs] == PHASES
    for epoch in epochs:
        assert epoch["loss"] > 0
        assert 0 <= epoch["accuracy"] <= 1
        assert epoch["learning_rate"] > 0
        assert epoch["seconds_per_step"] > 0
        assert ("skewness" in epoch) == (epoch["phase"] == "train")


def test_only_bundle_figures_and_lock_are_left(trained: Path) -> None:
    names = {trained.name, metrics.path_beside(trained).name, trained.with_suffix(".lock").name}
    assert {path.name for path in trained.parent.iterdir()} == names


def test_the_command_line_draws_them_and_copies_them_along(trained: Path, tmp_path: Path) -> None:
    out, plot = tmp_path / "mine.safetensors", tmp_path / "p.svg"
    assert main(["train", "-d", "toy", "--out", str(out), "--plot", str(plot)]) == 0
    assert metrics.read(metrics.path_beside(out)) == metrics.read(metrics.path_beside(trained))
    assert plot.read_text().count("agilenn on toy, seed 0") == 1


def test_figures_come_back_as_they_were_written(tmp_path: Path) -> None:
    epochs = [{"phase": "train", "epoch": 1, "loss": 0.25}, {"phase": "train", "epoch": 2, "loss": 0.125}]
    metrics.write(epochs, tmp_path / "a.metrics.jsonl")
    assert metrics.read(tmp_path / "a.metrics.jsonl") == epochs


@pytest.mark.parametrize("text", ["{", "[1]", '{"loss": 1}'])
def test_a_file_without_figures_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.metrics.jsonl"
    path.write_text(text)
    with pytest.raises(TrainingError, match="holds no figures"):
        metrics.read(path)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no figures at"):
        metrics.read(tmp_path / "a.metrics.jsonl")


def _left_after_every_epoch(run: Run, clock: list[float], phases: dict[str, float]) -> None:
    for phase, seconds in phases.items():
        for _ in run.epochs(phase, 2, {}):
            clock[0] += seconds


def test_the_end_is_foreseen_over_all_phases() -> None:
    seen: list[Progress] = []
    clock = [0.0]
    run = Run(seen.append, clock_s=lambda: clock[0])
    run.begin({"reference": (2, 1.0), "train": (2, 3.0)}, {})
    _left_after_every_epoch(run, clock, {"reference": 10.0, "train": 60.0})
    # First as the plan has it; then an epoch of "train" takes twice of what it was thought to.
    assert [step.left_s for step in seen] == [70.0, 60.0, 60.0, 0.0]


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (0.0, "0 s left"), (89.0, "89 s left"), (240.0, "4 min left")]
)
def test_what_is_left_is_told_in_fitting_units(seconds: float | None, text: str) -> None:
    assert left(Progress("train", 1, 2, left_s=seconds)) == text


def test_a_run_stands_for_itself_and_any_other_report_becomes_one() -> None:
    run = Run()
    assert Run.of(run) is run
    assert isinstance(Run.of(silent), Run)
