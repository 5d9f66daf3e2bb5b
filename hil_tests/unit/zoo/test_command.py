"""The recipe a command line names is the one its bundle keeps."""

from __future__ import annotations

import pytest

from hil import data
from hil.errors import UsageError
from hil.schemes import registry
from hil.training.recipe import as_json, override
from hil.zoo.command import recipe_of

DIGITS = data.get("digits")


@pytest.mark.parametrize("scheme", registry.names())
def test_without_more_it_is_the_schemes_own(scheme: str) -> None:
    words = ["hil", "train", "--scheme", scheme, "--dataset", "digits", "--seed", "3"]
    assert recipe_of(words, DIGITS) == as_json(registry.get(scheme).recipe(DIGITS))


def test_size_epochs_and_settings_are_taken_in() -> None:
    cifar = data.get("cifar10")
    words = [
        "hil",
        "train",
        "--dataset",
        "cifar10",
        "--recipe",
        "small",
        "--epochs",
        "3",
        "--set",
        "rho=0.7",
        "--set",
        "threads=1",
    ]
    small = registry.recipe("agilenn", cifar, "small")
    assert recipe_of(words, cifar) == as_json(override(small, {"epochs": "3", "rho": "0.7", "threads": "1"}))


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(UsageError, match="colour"):
        recipe_of(["hil", "train", "--set", "colour=blue"], DIGITS)
