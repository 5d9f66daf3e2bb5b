"""Every bundle that comes with hil is what its card says, and is trained again by the card's command."""

from __future__ import annotations

import shlex

import pytest

from hil import bundle as bundles
from hil import data
from hil.errors import UsageError
from hil.schemes import registry
from hil.zoo import shelf
from hil.zoo.command import recipe_of


@pytest.mark.parametrize("name", shelf.names())
def test_the_card_is_this_bundles(name: str) -> None:
    card = shelf.card(name)
    manifest = bundles.read_manifest(shelf.FOLDER / f"{name}.safetensors")
    figures = card.figures
    assert card.name == name == shelf.name_of(manifest.scheme, manifest.dataset)
    assert figures.digest == bundles.digest(shelf.FOLDER / f"{name}.safetensors").hex()
    assert (figures.scheme, figures.dataset, figures.seed) == (
        manifest.scheme,
        manifest.dataset,
        manifest.seed,
    )
    assert figures.float_accuracy == pytest.approx(manifest.metrics["accuracy"], abs=5e-4)
    assert figures.twin is not None
    assert figures.twin.agreement == 1.0


@pytest.mark.parametrize("name", shelf.names())
def test_the_cards_command_names_the_bundles_recipe(name: str) -> None:
    manifest = bundles.read_manifest(shelf.FOLDER / f"{name}.safetensors")
    words = shlex.split(shelf.card(name).command)
    assert words[:2] == ["hil", "train"]
    assert recipe_of(words, data.get(manifest.dataset)) == manifest.config["recipe"]


def test_digits_are_there_for_every_scheme() -> None:
    assert {shelf.name_of(scheme, "digits") for scheme in registry.names()} <= set(shelf.names())


def test_all_together_are_small() -> None:
    assert sum(path.stat().st_size for path in shelf.FOLDER.iterdir() if path.is_file()) < 10 << 20


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="unknown shipped bundle 'agilenn-mnist'"):
        shelf.card("agilenn-mnist")
