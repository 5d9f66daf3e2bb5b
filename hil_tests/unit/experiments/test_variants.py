"""Bundles that experiments need: found, trained where that is quick, or named by what makes them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from hil import bundle, data
from hil.cli.train import _pairs
from hil.errors import BundleError, UsageError
from hil.experiments import at_hand
from hil.experiments.variants import VARIANTS, variant_bundle
from hil.schemes import registry
from hil.training import api
from hil.training.recipe import override
from hil.zoo import shelf


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty one."""
    monkeypatch.setenv("HIL_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What would have been trained."""
    begun: list[dict[str, Any]] = []

    def ensure(scheme: str, dataset: str, changes: dict[str, Any], *_: object) -> Path:
        begun.append(changes)
        return Path(f"{scheme}-{dataset}")

    monkeypatch.setattr(api, "ensure_bundle", ensure)
    return begun


@pytest.mark.parametrize("dataset", ["digits", "cifar10"])
def test_a_schemes_own_recipe_is_the_shipped_bundle(dataset: str) -> None:
    assert at_hand.bundle_for("agilenn", dataset) == shelf.find("agilenn", dataset)


def test_so_is_a_setting_that_the_shipped_bundle_was_trained_with() -> None:
    assert at_hand.bundle_for("agilenn", "cifar10", {"rho": 0.8}) == shelf.find("agilenn", "cifar10")


def test_what_takes_hours_is_not_begun_but_its_command_is_named(trainings: list[dict[str, Any]]) -> None:
    with pytest.raises(BundleError, match=r"no bundle of agilenn for cifar10 with rho=0\.5") as raised:
        at_hand.bundle_for("agilenn", "cifar10", {"rho": 0.5})
    assert "hil train --scheme agilenn --dataset cifar10 --recipe small --set rho=0.5" in raised.value.hint
    assert not trainings


@pytest.mark.parametrize("variant", [name for name, made in VARIANTS.items() if made.changes])
@pytest.mark.parametrize("dataset", ["digits", "cifar10"])
def test_the_named_command_makes_what_is_then_found(variant: str, dataset: str) -> None:
    scheme, changes = VARIANTS[variant].scheme, dict(VARIANTS[variant].changes)
    words = at_hand.command(scheme, dataset, changes, seed=1).split()
    size = words[words.index("--recipe") + 1] if "--recipe" in words else "full"
    given = _pairs([word for before, word in pairwise(words) if before == "--set"])
    recipe = override(registry.recipe(scheme, data.get(dataset), size), given)
    path = api.cached_bundle_path(scheme, dataset, 1, recipe)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    assert at_hand.bundle_for(scheme, dataset, changes, seed=1) == path


def test_the_digits_are_trained_at_once_unless_that_is_not_wanted(trainings: list[dict[str, Any]]) -> None:
    at_hand.bundle_for("agilenn", "digits", {"rho": 0.5})
    assert trainings == [{"rho": 0.5}]
    with pytest.raises(BundleError):
        at_hand.bundle_for("agilenn", "digits", {"rho": 0.5}, train=False)
    assert len(trainings) == 1


def test_a_quick_variant_has_fewer_epochs(trainings: list[dict[str, Any]]) -> None:
    variant_bundle("agilenn-progressive", "digits", quick=True)
    variant_bundle("agilenn-progressive", "digits")
    quick, full = trainings
    assert quick["epochs"] < 20
    assert "epochs" not in full
    assert quick["progressive"] is full["progressive"] is True


def test_another_codec_needs_no_training(trainings: list[dict[str, Any]]) -> None:
    packed = bundle.load(variant_bundle("agilenn-range", "digits", quick=True))
    assert packed.manifest.payload is not None
    assert packed.manifest.payload.codec == "range"
    assert "codec.frequencies" in packed.tensors
    assert not trainings


def test_an_unknown_variant_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match="did you mean 'agilenn-range'"):
        variant_bundle("agilenn-rang", "digits")
