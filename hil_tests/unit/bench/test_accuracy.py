"""What is measured of a bundle is what its training recorded, what a run answers, and no more than that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hil import bundle as bundles
from hil import data as datasets
from hil.bench import accuracy
from hil.bench.accuracy import Settings, measure
from hil.bundle import Bundle
from hil.deploy.evaluate import evaluate_int8
from hil.errors import BundleError
from hil.pipeline import Plan
from hil.schemes import registry
from hil.session.events import SampleFinished
from hil.session.options import RunOptions
from hil.training.progress import silent
from hil_tests.unit.bench.rows import row
from hil_tests.unit.training.toy import Toy, recipe
from hil_tests.unit.training.toy_classifiers import EDGE_ONLY, MCUNET

RECIPES = {"agilenn": recipe(), "edge_only": EDGE_ONLY, "mcunet": MCUNET}
TEST = Toy().load("test")
ON_HOST = Settings(twin_samples=0)


def ignore(what: str, done: int, total: int) -> None:
    pass


@pytest.fixture(scope="module")
def trained() -> dict[str, Bundle]:
    return {name: registry.get(name).train(Toy(), RECIPES[name], 0, None, silent) for name in RECIPES}


@pytest.fixture
def path_of(
    trained: dict[str, Bundle], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Path]:
    monkeypatch.setitem(datasets.registry._DATASETS, "toy", Toy())
    monkeypatch.setenv("HIL_CACHE", str(tmp_path / "cache"))

    def path(name: str, **manifest: Any) -> Path:
        made = trained[name]
        file = tmp_path / f"{name}.safetensors"
        bundles.save(replace(made, manifest=replace(made.manifest, **manifest)), file)
        return file

    return path


@pytest.mark.parametrize("name", RECIPES)
def test_a_row_agrees_with_the_training_and_with_the_int8_system(
    trained: dict[str, Bundle], path_of: Callable[..., Path], name: str
) -> None:
    made = trained[name]
    found = measure(path_of(name), ON_HOST, ignore)
    whole = evaluate_int8(made, TEST.images, TEST.labels)
    assert (found.scheme, found.dataset, found.samples) == (name, "toy", len(TEST))
    assert found.float_accuracy == pytest.approx(made.manifest.metrics["accuracy"])
    assert found.int8_accuracy == pytest.approx(whole.accuracy)
    assert found.local_accuracy == (
        None if whole.local_accuracy is None else pytest.approx(whole.local_accuracy)
    )
    assert found.twin is None
    assert (found.device_macs > 0) == (name != "edge_only")
    if made.manifest.payload is None:
        assert (found.payload_bytes_mean, found.exit_share, found.server_parameters) == (None, None, 0)
    else:
        assert whole.payload_bytes is not None
        assert found.payload_bytes_mean == whole.payload_bytes.mean()
        assert found.exit_share == 0


def test_slices_do_not_change_the_row(path_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = path_of("agilenn")
    at_once = measure(path, ON_HOST, ignore)
    seen: list[int] = []
    monkeypatch.setattr(accuracy, "_SLICE", 7)
    in_parts = measure(path, ON_HOST, lambda what, done, total: seen.append(done), again=True)
    assert in_parts == at_once
    assert seen == [7, 14, 21, 24]


def test_payloads_that_an_exit_spares_are_in_no_mean(path_of: Callable[..., Path]) -> None:
    found = measure(path_of("agilenn", exit_confidence=1e-6), ON_HOST, ignore)
    assert found.exit_share == 1
    assert found.payload_bytes_mean is None
    assert found.int8_accuracy == found.local_accuracy


def test_a_second_time_it_is_not_measured_unless_asked(
    path_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = path_of("mcunet")
    first = measure(path, ON_HOST, ignore)
    monkeypatch.setattr(accuracy, "on_host", lambda *given: row())
    assert measure(path, ON_HOST, ignore) == first
    assert measure(path, replace(ON_HOST, samples=5), ignore) == row()
    assert measure(path, ON_HOST, ignore, again=True) == row()


def test_fewer_samples_are_the_first(trained: dict[str, Bundle], path_of: Callable[..., Path]) -> None:
    found = measure(path_of("agilenn"), replace(ON_HOST, samples=9), ignore)
    predictions = trained["agilenn"].tensors["record.predictions"][:9]
    assert found.samples == 9
    assert found.float_accuracy == pytest.approx(np.mean(predictions == TEST.labels[:9]))


def test_the_twins_part_is_a_runs_summary(
    path_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def run(plan: Plan, options: RunOptions, reporter: Any) -> dict[str, Any]:
        assert (options.n, options.server_ms, plan.scheme) == (12, 1.0, "agilenn")
        for _ in range(12):
            reporter.handle(SampleFinished.__new__(SampleFinished))
        latency = {"mean": 9.5}
        return {"valid": True, "samples": 12, "accuracy": 0.5, "host_agreement": 1.0, "latency_ms": latency}

    monkeypatch.setattr(accuracy, "run_pipeline", run)
    settings = Settings(twin_samples=12)
    found = measure(path_of("agilenn"), settings, lambda what, done, total: seen.append(done)).twin
    assert found is not None
    assert (found.samples, found.accuracy, found.agreement, found.latency_ms) == (12, 0.5, 1.0, 9.5)
    assert found.radio == "wifi-6m"
    assert seen[-12:] == list(range(1, 13))


def test_a_run_that_is_not_valid_gives_no_row(
    path_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    issue = {"message": "the host disagrees", "hint": "look at it"}
    monkeypatch.setattr(accuracy, "run_pipeline", lambda *given: {"valid": False, "issues": [issue]})
    with pytest.raises(BundleError, match="not valid: the host disagrees"):
        measure(path_of("agilenn"), Settings(twin_samples=1), ignore)
