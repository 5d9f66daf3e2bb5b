"""The recipe that a `hil train` command names, so that a card's command can be checked."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from hil.data.dataset import Dataset
from hil.schemes import registry
from hil.training.recipe import as_json, override


def recipe_of(words: Sequence[str], dataset: Dataset) -> dict[str, Any]:
    """What a bundle trained by `words` (`hil train …`) keeps as its recipe; `dataset` is the one it names.

    Knows --scheme, --dataset, --seed, --recipe, --epochs and --set. Raises UsageError on what is no recipe.
    """
    parser = argparse.ArgumentParser(prog="hil train")
    parser.add_argument("--scheme", default=registry.names()[0])
    parser.add_argument("--dataset")
    parser.add_argument("--seed")
    parser.add_argument("--recipe", default="full")
    parser.add_argument("--epochs")
    parser.add_argument("--set", action="append", default=[])
    given = parser.parse_args(list(words[2:]))
    changes = dict(setting.partition("=")[::2] for setting in given.set)
    if given.epochs is not None:
        changes["epochs"] = given.epochs
    return as_json(override(registry.recipe(given.scheme, dataset, given.recipe), changes))
