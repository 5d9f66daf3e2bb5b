"""Schemes that train one whole network: what becomes of it, and what a bundle keeps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hil import bundle
from hil.bundle import Bundle
from hil.data import registry as datasets
from hil.errors import BundleError, TrainingError, UsageError
from hil.schemes import registry
from hil.schemes.halves import load_device
from hil.training import api, metrics
from hil.training.batches import Batches
from hil.training.classifier_recipes import EdgeOnlyRecipe, McuNetRecipe
from hil.training.progress import Progress, silent
from hil.training.recipe import Recipe, override
from hil_tests.unit.training.toy import RECIPE, Toy
from hil_tests.unit.training.toy_classifiers import EDGE_ONLY, MCUNET

RECIPES: dict[str, Recipe] = {"edge_only": EDGE_ONLY, "mcunet": MCUNET}


def trained(scheme: str, seed: int = 0, **changes: Any) -> Bundle:
    recipe = replace(RECIPES[scheme], **changes)
    return registry.get(scheme).train(Toy(), recipe, seed, None, silent)


@pytest.fixture(scope="module", params=RECIPES)
def made(request: pytest.FixtureRequest) -> Bundle:
    return trained(request.param)


def test_it_learns_what_can_be_learned(made: Bundle) -> None:
    assert made.manifest.metrics["accuracy"] > 0.9, "a brightest row is easy to find"


def test_accuracy_is_that_of_the_recorded_predictions(made: Bundle) -> None:
    predictions = made.tensors["record.predictions"]
    assert predictions.dtype == np.int64
    assert made.manifest.metrics["accuracy"] == np.mean(predictions == Toy().load("test").labels)


@pytest.mark.parametrize("scheme", RECIPES)
def test_the_same_seed_gives_the_same_file_and_another_seed_another(scheme: str, tmp_path: Path) -> None:
    written = []
    for number, seed in enumerate((0, 0, 1)):
        path = tmp_path / f"{number}.safetensors"
        bundle.save(trained(scheme, seed, epochs=1), path)
        written.append(path.read_bytes())
    assert written[0] == written[1]
    assert written[0] != written[2]


def test_a_bundle_survives_a_round_trip(made: Bundle, tmp_path: Path) -> None:
    bundle.save(made, tmp_path / "again.safetensors")
    assert bundle.load(tmp_path / "again.safetensors").manifest == made.manifest


@pytest.mark.parametrize("scheme", RECIPES)
def test_every_phase_reports_its_end(scheme: str) -> None:
    seen: list[Progress] = []
    recipe = replace(RECIPES[scheme], epochs=2)
    registry.get(scheme).train(Toy(), recipe, 0, None, seen.append)
    assert [p.phase for p in seen if p.done == p.total] == ["train", "evaluate"]


@pytest.mark.parametrize("scheme", RECIPES)
@pytest.mark.parametrize(
    "change", [{"optimiser": "sgd", "learning_rate": 0.1}, {"label_smoothing": 0.0}, {"limit": 16}]
)
def test_every_option_trains(scheme: str, change: dict[str, Any]) -> None:
    assert np.isfinite(trained(scheme, epochs=1, **change).manifest.metrics["accuracy"])


@pytest.mark.parametrize("scheme", RECIPES)
def test_a_loss_that_is_no_number_stops_training(scheme: str) -> None:
    with pytest.raises(TrainingError, match="diverged in phase 'train'"):
        trained(scheme, optimiser="sgd", learning_rate=1e30)


@pytest.mark.parametrize("scheme", RECIPES)
def test_a_foreign_recipe_is_refused(scheme: str) -> None:
    with pytest.raises(UsageError, match="cannot be trained by a AgileRecipe"):
        registry.get(scheme).train(Toy(), RECIPE, 0, None, silent)


@pytest.mark.parametrize("config", [{}, {"recipe": {"unheard_of": 1}}, {"recipe": 3}])
def test_a_manifest_with_another_recipe_is_refused(config: dict[str, Any]) -> None:
    loaded = trained("mcunet", epochs=1)
    with pytest.raises(BundleError, match="recipe is foreign"):
        load_device(replace(loaded, manifest=replace(loaded.manifest, config=config)))


@pytest.mark.parametrize(
    ("recipe", "change"),
    [
        (EdgeOnlyRecipe(), {"codec": "zip"}),
        (EdgeOnlyRecipe(), {"label_smoothing": 1.0}),
        (McuNetRecipe(), {"blocks": [[1, 8, 4, 1]]}),
        (McuNetRecipe(), {"blocks": [[1, 8, 3]]}),
    ],
)
def test_a_setting_that_cannot_be_is_refused(recipe: Recipe, change: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        override(recipe, change)


class Killed(BaseException):
    """What no part of a training may catch."""


@pytest.mark.parametrize("scheme", RECIPES)
@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_a_training_killed_in_any_epoch_ends_in_the_same_bundle(
    scheme: str, epoch: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recipe = replace(RECIPES[scheme], epochs=3, crop_padding=1)
    monkeypatch.setitem(datasets._DATASETS, "toy", Toy())
    monkeypatch.setenv("HIL_CACHE", str(tmp_path))
    whole = registry.get(scheme).train(Toy(), recipe, 0, None, silent)
    begun = 0
    shuffled = Batches.shuffled

    def fatal(batches: Batches) -> object:
        nonlocal begun
        begun += 1
        for number, batch in enumerate(shuffled(batches)):
            if begun == epoch + 1 and number == 1:
                raise Killed
            yield batch

    with monkeypatch.context() as patch:
        patch.setattr(Batches, "shuffled", fatal)
        with pytest.raises(Killed):
            api.train_bundle(scheme, "toy", base=recipe)
    api.train_bundle(scheme, "toy", base=recipe)
    again = bundle.load(api.cached_bundle_path(scheme, "toy", 0, recipe))
    assert again.manifest == whole.manifest
    assert all(np.array_equal(again.tensors[name], whole.tensors[name]) for name in whole.tensors)
    figures = metrics.read(metrics.path_beside(api.cached_bundle_path(scheme, "toy", 0, recipe)))
    assert [line["epoch"] for line in figures] == [1, 2, 3]


@pytest.mark.parametrize("scheme", RECIPES)
def test_the_small_recipe_is_cheaper_than_the_full_one(scheme: str) -> None:
    photographs = datasets.get("cifar10")
    small = registry.recipe(scheme, photographs, "small")
    assert small.epochs < registry.recipe(scheme, photographs).epochs
    assert (
        registry.recipe(scheme, datasets.get("digits"), "small").epochs
        == registry.get(scheme).recipe(datasets.get("digits")).epochs
    )
