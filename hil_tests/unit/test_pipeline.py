"""The stages before a session: names first, then what is cached, and events about both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hil import bundle as bundles
from hil import pipeline
from hil.bundle import Bundle, InputFormat, Manifest
from hil.errors import TrainingError, UsageError
from hil.pipeline import Plan, Request, ensure_bundle, resolve, stage
from hil.session.events import Event, StageFinished, StageProgress, StageStarted
from hil.training.progress import Progress
from hil.zoo import shelf


class Recorder:
    def __init__(self) -> None:
        self.seen: list[Event] = []

    def handle(self, event: Event) -> None:
        self.seen.append(event)

    def close(self) -> None: ...


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Plan:
    monkeypatch.setenv("HIL_CACHE", str(tmp_path))
    monkeypatch.setattr(shelf, "FOLDER", tmp_path / "zoo")
    return resolve(Request())


@pytest.mark.parametrize("wrong", [{"scheme": "x"}, {"dataset": "x"}, {"board": "x"}])
def test_every_name_is_looked_up_before_anything_is_done(wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="unknown"):
        resolve(Request(**wrong))  # type: ignore[arg-type]


def test_names_that_are_not_the_bundles_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bundle.safetensors"
    inputs = InputFormat(24, 24, 1, 3, (0.3,), (0.4,))
    bundles.save(Bundle(Manifest("agilenn", "digits", 10, 0, inputs, None, 0.5, {}), {}), path)
    assert resolve(Request(bundle=path)).dataset == "digits"
    with pytest.raises(UsageError, match="was trained with data set 'digits', not 'cifar10'"):
        resolve(Request(bundle=path, dataset="cifar10"))


def test_the_clock_is_the_boards_fastest_unless_given() -> None:
    assert resolve(Request()).clock_hz == 216_000_000
    assert resolve(Request(clock_mhz=84)).clock_hz == 84_000_000


def test_a_bundle_that_was_named_is_not_trained(plan: Plan, recorder: Recorder, tmp_path: Path) -> None:
    named = replace(plan, request=Request(bundle=tmp_path / "b"))
    assert ensure_bundle(named, recorder) == tmp_path / "b"
    assert recorder.seen == []


def test_training_is_reported_and_its_result_found_the_next_time(
    plan: Plan, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(*identity: Any, base: Any) -> None:
        path, report = identity[-2:]
        report(Progress("warm-up", 1, 3, "loss 2.0"))
        path.touch()

    monkeypatch.setattr("hil.training.api.train_bundle", train)
    path = ensure_bundle(plan, recorder)
    assert recorder.seen[:2] == [
        StageStarted("train", "agilenn on digits"),
        StageProgress("train", 1, 3, "warm-up loss 2.0"),
    ]
    assert isinstance(recorder.seen[2], StageFinished)
    assert not recorder.seen[2].cached
    assert ensure_bundle(plan, recorder) == path
    assert isinstance(recorder.seen[-1], StageFinished)
    assert recorder.seen[-1].cached


def test_the_bundle_that_comes_with_hil_is_not_trained(plan: Plan, recorder: Recorder) -> None:
    shelf.FOLDER.mkdir()
    shipped = shelf.FOLDER / "agilenn-digits.safetensors"
    shipped.touch()
    assert ensure_bundle(plan, recorder) == shipped
    finished = recorder.seen[-1]
    assert isinstance(finished, StageFinished)
    assert finished.cached
    assert finished.detail == "agilenn on digits, comes with hil"


def test_a_stage_that_fails_is_never_reported_as_finished(recorder: Recorder) -> None:
    with pytest.raises(TrainingError), stage(recorder, "train"):
        raise TrainingError("diverged")
    assert recorder.seen == [StageStarted("train")]


def test_the_pipeline_prints_nothing() -> None:
    assert "print(" not in Path(pipeline.__file__).read_text()


def test_a_bundle_of_a_trial_training_is_run_on_the_samples_it_knows(tmp_path: Path) -> None:
    path = tmp_path / "bundle.safetensors"
    inputs = InputFormat(24, 24, 1, 3, (0.3,), (0.4,))
    manifest = Manifest("agilenn", "digits", 10, 0, inputs, None, 0.5, {"recipe": {"limit": 10}})
    bundles.save(Bundle(manifest, {"record.predictions": np.zeros(10, np.int64)}), path)
    assert len(pipeline._samples(resolve(Request(bundle=path)), path).split) == 10
