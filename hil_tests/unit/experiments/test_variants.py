"""Bundles that experiments need: found, trained where that is quick, or named by what makes them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from hil import bundle, data
from hil.cli.train import _pairs
from hil.errors import BundleError, UsageError
from hil.experiments.measures.supply import Wanted
from hil.experiments.variants import VARIANTS, variant_bundle, variant_identity
from hil.schemes import registry
from hil.training import api
from hil.training.recipe import override
from hil.zoo import shelf

TRAINED = [name for name, made in VARIANTS.items() if made.changes]


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty one."""
    monkeypatch.setenv("HIL_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What would have been trained; empty files take the place of bundles."""
    begun: list[dict[str, Any]] = []

    def train(scheme: str, dataset: str, changes: dict[str, Any], *given: Any, **_: Any) -> None:
        begun.append(changes)
        given[2].touch()

    monkeypatch.setattr(api, "train_bundle", train)
    return begun


@pytest.mark.parametrize("changes", [{}, {"rho": 0.8}])
def test_what_the_shipped_bundle_was_trained_with_is_the_shipped_bundle(changes: dict[str, Any]) -> None:
    wanted, shipped = Wanted("agilenn", "cifar10", changes), shelf.find("agilenn", "cifar10")
    assert shipped is not None
    assert wanted.path() == shipped
    assert wanted.identity() == bundle.digest(shipped).hex()


def test_what_takes_hours_is_not_begun_but_its_command_is_named(trainings: list[dict[str, Any]]) -> None:
    wanted = Wanted("agilenn", "cifar10", {"rho": 0.5})
    for asked in (wanted.path, wanted.identity):
        with pytest.raises(BundleError, match=r"no bundle of agilenn for cifar10 with rho=0\.5") as raised:
            asked()
        assert wanted.command() in raised.value.hint
    assert not trainings


def test_hours_are_taken_where_they_are_asked_for(trainings: list[dict[str, Any]]) -> None:
    Wanted("agilenn", "cifar10", {"rho": 0.5}, train=True).path()
    assert trainings == [{"rho": 0.5}]
    Wanted("agilenn", "cifar10", {"rho": 0.5}).path()
    assert len(trainings) == 1


@pytest.mark.parametrize("variant", TRAINED)
def test_the_named_command_makes_what_is_then_found(variant: str) -> None:
    scheme, changes = VARIANTS[variant].scheme, VARIANTS[variant].changes
    wanted = Wanted(scheme, "cifar10", changes, seed=1)
    words = wanted.command().split()
    given = _pairs([word for before, word in pairwise(words) if before == "--set"])
    size = words[words.index("--recipe") + 1]
    recipe = override(registry.recipe(scheme, data.get("cifar10"), size), given)
    path = api.cached_bundle_path(scheme, "cifar10", 1, recipe)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    assert wanted.path() == path


@pytest.mark.parametrize("changes", [{}, {"rho": 0.5}])
def test_the_digits_are_trained_at_once_and_keep_their_name(
    trainings: list[dict[str, Any]], changes: dict[str, Any]
) -> None:
    wanted = Wanted("agilenn", "digits", changes)
    before = wanted.identity()
    wanted.path()
    assert trainings == [changes]
    assert wanted.identity() == before
    assert wanted.path().exists()
    assert len(trainings) == 1


def test_a_training_for_an_experiment_is_not_what_a_run_takes(trainings: list[dict[str, Any]]) -> None:
    assert Wanted("agilenn", "digits").path() != api.cached_bundle_path("agilenn", "digits")
    assert variant_bundle("agilenn", "digits") == shelf.find("agilenn", "digits")


def test_a_short_variant_has_fewer_epochs(trainings: list[dict[str, Any]]) -> None:
    variant_bundle("agilenn-progressive", "digits", short=True)
    variant_bundle("agilenn-progressive", "digits")
    short, full = trainings
    assert short["epochs"] < 20
    assert "epochs" not in full
    assert short["progressive"] is full["progressive"] is True


def test_another_codec_needs_no_training(trainings: list[dict[str, Any]]) -> None:
    packed = bundle.load(variant_bundle("agilenn-range", "digits"))
    assert packed.manifest.payload is not None
    assert packed.manifest.payload.codec == "range"
    assert "codec.frequencies" in packed.tensors
    assert not trainings


def test_every_variant_of_the_digits_has_a_name_of_its_own(trainings: list[dict[str, Any]]) -> None:
    names = {
        variant_identity(name, "digits", short=short)
        for name, made in VARIANTS.items()
        for short in ({True, False} if made.changes else {False})
    }
    assert len(names) == len(VARIANTS) + len(TRAINED)
    assert not trainings


def test_an_unknown_variant_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match="did you mean 'agilenn-range'"):
        variant_bundle("agilenn-rang", "digits")
