"""AgileNN's recipes for the data sets."""

from __future__ import annotations

import pytest

from hil import data
from hil.schemes import registry
from hil.training.recipe import AgileRecipe, as_json, fingerprint


def _augmentation(dataset: str, size: str) -> tuple[bool, int]:
    recipe = registry.recipe("agilenn", data.get(dataset), size)
    return recipe.flip, recipe.crop_padding


@pytest.mark.parametrize("size", ["full", "small"])
def test_what_can_be_read_is_not_mirrored_and_what_is_heard_not_cropped_either(size: str) -> None:
    assert _augmentation("cifar10", size) == (True, 4)
    assert _augmentation("svhn", size) == (False, 4)
    assert _augmentation("digits", size) == (False, 1)
    for dataset in ("words", "speech-commands"):
        assert _augmentation(dataset, size) == (False, 0)


def test_every_data_set_has_a_recipe_by_an_existing_name() -> None:
    assert {"words", "speech-commands", "svhn"} <= set(data.names())


def test_photographs_keep_the_recipes_that_they_had() -> None:
    for dataset in ("cifar10", "cifar100", "tiny-imagenet-200"):
        assert registry.recipe("agilenn", data.get(dataset)) == AgileRecipe()
    assert fingerprint(AgileRecipe()) == "036c66c62e3fe793"
    assert not {"codec", "rate_weight", "progressive", "local_distillation"} & set(as_json(AgileRecipe()))
