"""A whole training, on a toy data set."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hil import bundle
from hil.bundle import Bundle
from hil.data import registry as datasets
from hil.data.dataset import Dataset, Split
from hil.errors import TrainingError, UsageError
from hil.schemes import registry as schemes
from hil.schemes.agilenn import AgileNN
from hil.training import api
from hil.training.progress import Progress, silent
from hil.training.recipe import AgileRecipe, Recipe
from hil_tests.unit.training.toy import RECIPE, Toy, recipe


@pytest.fixture(scope="module")
def trained() -> Bundle:
    return AgileNN().train(Toy(), RECIPE, 0, None, silent)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The toy data set and recipe behind the public functions, with a cache of their own."""
    monkeypatch.setitem(datasets._DATASETS, "toy", Toy())
    monkeypatch.setattr(AgileNN, "recipe", lambda self, dataset: RECIPE)
    monkeypatch.setenv("HIL_CACHE", str(tmp_path))
    return tmp_path


def test_the_same_seed_gives_the_same_file_and_another_seed_another(trained: Bundle, tmp_path: Path) -> None:
    written = []
    for number, made in enumerate(
        (
            trained,
            AgileNN().train(Toy(), RECIPE, 0, None, silent),
            AgileNN().train(Toy(), RECIPE, 1, None, silent),
        )
    ):
        bundle.save(made, tmp_path / f"{number}.safetensors")
        written.append((tmp_path / f"{number}.safetensors").read_bytes())
    assert written[0] == written[1]
    assert written[0] != written[2]


def test_a_bundle_holds_what_deployment_needs(trained: Bundle) -> None:
    manifest = trained.manifest
    assert manifest.payload is not None
    assert (manifest.payload.channel_begin, manifest.payload.channels) == (3, 9)
    assert (manifest.payload.height, manifest.payload.width) == (6, 6)
    assert list(manifest.payload.centroids) == sorted(manifest.payload.centroids)
    assert 0 < manifest.alpha < 1
    assert trained.tensors["record.predictions"].dtype == np.int64
    assert trained.tensors["record.predictions"].shape == (24,)
    calibration = trained.tensors["record.calibration"]
    assert np.array_equal(calibration, Toy().load("train").images)
    weights = trained.part("device") | trained.part("server")
    assert all(value.dtype == np.float32 and np.isfinite(value).all() for value in weights.values())


def test_metrics_are_finite_and_accuracy_is_that_of_the_recorded_predictions(trained: Bundle) -> None:
    metrics = trained.manifest.metrics
    labels = Toy().load("test").labels
    assert metrics["accuracy"] == pytest.approx(np.mean(trained.tensors["record.predictions"] == labels))
    assert all(np.isfinite(value) for value in metrics.values())
    shares = ("skewness", "skewness_any_channels", "skewness_fine", "disorder", "local_accuracy")
    assert all(0 <= metrics[name] <= 1 for name in shares)
    assert metrics["skewness_any_channels"] >= metrics["skewness"] - 1e-9


def test_every_phase_reports_its_end() -> None:
    seen: list[Progress] = []
    AgileNN().train(Toy(), RECIPE, 0, None, seen.append)
    ended = [progress.phase for progress in seen if progress.done == progress.total]
    assert ended == ["reference", "warm-up", "remap", "train", "evaluate"]


@pytest.mark.parametrize(
    "change",
    [
        {"attribution": "saliency"},
        {"intervals": 3},
        {"remapping": "topk_appearance"},
        {"remapping": "none"},
        {"optimiser": "sgd"},
        {"centroids": 2},
        {"centroids": 32},
        {"local_weight": 0.5},
        {"follow_rate": 0.0},
        {"limit": 16},
        {"local_distillation": 0.5},
        {"codec": "range", "rate_weight": 0.1, "progressive": True, "local_distillation": 0.5},
        {"codec": "huffman", "rate_weight": 0.1},
        {"codec": "none", "progressive": True},
        {"codec": "range", "progressive": True, "attribution_reuse": True, "attribution_every": 2},
    ],
)
def test_every_option_trains(change: dict[str, Any]) -> None:
    made = AgileNN().train(Toy(), recipe(epochs=1, reference_epochs=1, **change), 0, None, silent)
    assert np.isfinite(made.manifest.metrics["skewness"])


def test_a_fixed_alpha_stays_where_it_was_put() -> None:
    made = AgileNN().train(Toy(), recipe(epochs=2, reference_epochs=1, alpha=0.3), 0, None, silent)
    assert made.manifest.alpha == pytest.approx(0.3, abs=1e-6)


def test_a_loss_that_is_no_number_stops_training() -> None:
    with pytest.raises(TrainingError, match="diverged in phase"):
        AgileNN().train(Toy(), recipe(optimiser="sgd", learning_rate=1e30), 0, None, silent)


def test_a_foreign_recipe_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be trained by a Recipe"):
        AgileNN().train(Toy(), Recipe(), 0, None, silent)


def test_the_cache_is_keyed_by_everything_that_decides_the_bundle(toy: Path) -> None:
    path = api.cached_bundle_path("agilenn", "toy", 0)
    assert path.parent == toy / "bundles"
    assert api.cached_bundle_path("agilenn", "toy", 0, RECIPE) == path
    others = {
        api.cached_bundle_path("agilenn", "toy", 1),
        api.cached_bundle_path("agilenn", "toy", 0, replace(RECIPE, epochs=3)),
        api.cached_bundle_path("agilenn", "digits", 0),
    }
    assert path not in others
    assert len(others) == 3


def test_a_bundle_is_trained_once_and_then_found(toy: Path) -> None:
    seen: list[Progress] = []
    path = api.ensure_bundle("agilenn", "toy", {"epochs": "1"}, progress=seen.append)
    assert bundle.read_manifest(path).config["recipe"]["epochs"] == 1
    assert seen
    seen.clear()
    assert api.ensure_bundle("agilenn", "toy", {"epochs": 1}, progress=seen.append) == path
    assert not seen


def test_a_bundle_goes_where_it_is_told(toy: Path, tmp_path: Path) -> None:
    target = tmp_path / "new" / "mine.safetensors"
    manifest = api.train_bundle("agilenn", "toy", {"epochs": 1}, 3, None, target)
    assert bundle.read_manifest(target) == manifest
    assert manifest.seed == 3
    assert {path.name for path in target.parent.iterdir()} == {"mine.safetensors", "mine.metrics.jsonl"}


@pytest.mark.parametrize("phase", ["reference", "train", "evaluate"])
def test_an_interrupt_leaves_no_file(toy: Path, phase: str) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.phase == phase:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        api.train_bundle("agilenn", "toy", progress=interrupt)
    assert not list(toy.glob("bundles/*"))


def test_an_interrupt_while_writing_leaves_no_file(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = os.replace

    def interrupted(own: Path, path: Path) -> None:
        if path.parent.name == "bundles":
            raise KeyboardInterrupt
        replace(own, path)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        api.train_bundle("agilenn", "toy", {"epochs": 1})
    assert not list((toy / "bundles").iterdir())


@pytest.mark.parametrize(("scheme", "dataset"), [("agilen", "toy"), ("agilenn", "digit")])
def test_an_unknown_scheme_or_data_set_is_named(toy: Path, scheme: str, dataset: str) -> None:
    with pytest.raises(UsageError, match="did you mean"):
        api.train_bundle(scheme, dataset)


def _few_steps(dataset: Dataset, data_dir: Path | None) -> Bundle:
    """The authors' networks at full size, for two steps of each phase."""
    few = AgileRecipe(epochs=1, reference_epochs=1, warmup_epochs=1, batch=2, limit=4)
    return AgileNN().train(dataset, few, 0, data_dir, silent)


class CifarShaped:
    """Noise in CIFAR-10's shape."""

    name = "cifar-shaped"
    label_names = tuple("abcdefghij")
    classes = 10
    shape = (32, 32, 3)
    upscale = 3
    mean = (0.5, 0.5, 0.5)
    std = (0.3, 0.3, 0.3)

    def load(self, split: str, data_dir: Path | None = None) -> Split:
        images = np.random.default_rng(0).random((8, 32, 32, 3)).astype(np.float32)
        return Split(images, np.arange(8))


def test_the_recipe_for_cifar_trains_on_images_of_its_shape() -> None:
    made = _few_steps(CifarShaped(), None)
    assert made.manifest.payload is not None
    assert made.manifest.payload.raw_bytes == 7296  # facts: 32·32·19·3 bits
    assert (made.manifest.input.height, made.manifest.input.width) == (96, 96)


def test_cifar10_itself_trains(data_dir: Path) -> None:
    made = _few_steps(datasets.get("cifar10"), data_dir)
    assert made.manifest.dataset == "cifar10"
    assert made.tensors["record.calibration"].shape == (4, 32, 32, 3)


@pytest.mark.slow
def test_the_digits_reach_their_targets(digits_bundle: Path) -> None:
    metrics = bundle.read_manifest(digits_bundle).metrics
    assert metrics["accuracy"] >= 0.97
    assert metrics["skewness"] >= 0.8
    assert metrics["payload_bytes"] < metrics["payload_raw_bytes"] / 2
    # The device's own answer is worth having when the link is down, and the judge can still judge.
    assert metrics["local_accuracy"] > 0.3
    assert metrics["judge_accuracy"] > 0.6


def test_training_leaves_torch_as_it_was(trained: Bundle) -> None:
    assert not torch.are_deterministic_algorithms_enabled()
    assert schemes.get(trained.manifest.scheme).name == "agilenn"
