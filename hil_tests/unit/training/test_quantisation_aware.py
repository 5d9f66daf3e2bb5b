"""Where int8 costs too much, the device half learns to live with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hil.bundle import Bundle
from hil.data import registry as datasets
from hil.data.dataset import Split
from hil.deploy.package import make_graph
from hil.errors import BundleError, TrainingError
from hil.schemes.agilenn import AgileNN
from hil.training import api, quantisation_aware
from hil.training.progress import Progress, silent
from hil.training.quantisation_aware import hold_out
from hil.training.recipe import AgileRecipe, as_json
from hil_tests.unit.training.test_resume import _kill_training_in, _same, _trained
from hil_tests.unit.training.toy import Toy, recipe

RECIPE = recipe(qat_epochs=2)
_BEFORE = RECIPE.reference_epochs + RECIPE.warmup_epochs + RECIPE.epochs


def _train(chosen: AgileRecipe, seen: list[Progress] | None = None) -> Bundle:
    return AgileNN().train(Toy(), chosen, 0, None, silent if seen is None else seen.append)


@pytest.fixture
def costly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Int8 seems to cost more than anything can."""

    def measure(before: Any, bundle: Bundle, apart: Split) -> float:
        before.get_buffer("before").copy_(torch.tensor([1.0, -1.0]))
        return 200.0

    monkeypatch.setattr(quantisation_aware._Before, "measure", measure)


@pytest.mark.usefixtures("costly")
def test_the_device_computes_with_the_ranges_of_the_training() -> None:
    seen: list[Progress] = []
    made = _train(RECIPE, seen)
    assert [step.done for step in seen if step.phase == "qat"] == [1, 2]
    assert made.manifest.metrics["qat_drop_after"] < made.manifest.metrics["qat_drop_before"]
    graph = make_graph(made)
    low, high = made.tensors[f"ranges.{graph.input}"]
    assert graph.tensor(graph.input).scale == (high - low) / 255
    made.tensors[f"ranges.{graph.input}"] = np.array([2 * low, 2 * high])
    assert make_graph(made).tensor(graph.input).scale == 2 * (high - low) / 255
    made.tensors[f"ranges.{graph.input}"] = np.array([1.0, 2.0])
    with pytest.raises(BundleError, match="range of"):
        make_graph(made)
    del made.tensors[f"ranges.{graph.input}"]
    with pytest.raises(BundleError, match="range of"):
        make_graph(made)


def test_where_int8_costs_little_nothing_is_tuned() -> None:
    seen: list[Progress] = []
    made = _train(recipe(qat_epochs=2, qat_drop=100.0), seen)
    assert "qat_drop_before" in made.manifest.metrics
    assert "qat_drop_after" not in made.manifest.metrics
    assert not made.part("ranges")
    assert ["which is allowed" in step.text for step in seen if step.phase == "qat"] == [True]


def test_tuning_that_does_not_help_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(before: Any, bundle: Bundle, apart: Split) -> float:
        before.get_buffer("before").copy_(torch.tensor([2.0, 1.0]))
        return 100.0

    monkeypatch.setattr(quantisation_aware._Before, "measure", measure)
    made, plain = _train(RECIPE), _train(recipe(qat_epochs=2, qat_drop=100.0))
    assert "qat_drop_after" in made.manifest.metrics
    assert not made.part("ranges")
    for half in ("device", "server"):
        for name, value in made.part(half).items():
            assert np.array_equal(value, plain.part(half)[name])


@pytest.mark.usefixtures("costly")
def test_both_halves_learn_and_what_lies_between_them_stands_still() -> None:
    made, plain = _train(RECIPE), _train(recipe(qat_epochs=2, qat_drop=300.0))
    tuned, before = made.manifest, plain.manifest
    assert tuned.payload is not None
    assert before.payload is not None
    assert tuned.payload.centroids == before.payload.centroids
    assert tuned.alpha == before.alpha
    for half in ("device", "server"):
        pairs = [(value, plain.part(half)[name]) for name, value in made.part(half).items()]
        assert any(not np.array_equal(one, other) for one, other in pairs)


@pytest.mark.usefixtures("costly")
def test_fine_tuning_that_was_killed_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(datasets._DATASETS, "toy", Toy())
    monkeypatch.setattr(AgileNN, "recipe", lambda self, dataset: RECIPE)
    monkeypatch.setenv("HIL_CACHE", str(tmp_path))
    _kill_training_in(monkeypatch, _BEFORE + 1)
    api.train_bundle("agilenn", "toy")
    assert _same(_trained(tmp_path), _train(RECIPE))


def test_every_tenth_sample_is_held_out_where_it_is_asked_for() -> None:
    split = Split(np.zeros((40, 2, 2, 1), np.float32), np.arange(40))
    kept, apart = hold_out(split, RECIPE)
    assert apart.labels.tolist() == [9, 19, 29, 39]
    assert sorted([*kept.labels, *apart.labels]) == list(range(40))
    kept, apart = hold_out(split, recipe())
    assert kept is split
    assert not len(apart)
    with pytest.raises(TrainingError, match="held out"):
        hold_out(split.first(9), RECIPE)


def test_recipes_without_it_say_nothing_of_it() -> None:
    assert not {"qat_epochs", "qat_drop", "qat_rate"} & as_json(recipe()).keys()
