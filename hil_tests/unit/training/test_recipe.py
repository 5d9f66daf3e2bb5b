"""Recipes are data: checked, changed by name, and fingerprinted."""

from __future__ import annotations

from typing import Any

import pytest

from hil.errors import UsageError
from hil.training.recipe import AgileRecipe, as_json, fingerprint, override


def test_the_authors_settings_are_the_defaults() -> None:
    recipe = AgileRecipe()
    assert (recipe.lambda_, recipe.rho, recipe.centroids, recipe.local_channels) == (0.8, 0.8, 8, 5)
    assert (recipe.learning_rate, recipe.momentum, recipe.weight_decay) == (0.1, 0.9, 5e-4)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("epochs", "3", 3),
        ("learning_rate", "0.02", 0.02),
        ("flip", "false", False),
        ("flip", True, True),
        ("optimiser", "adam", "adam"),
        ("attribution", "saliency", "saliency"),
        ("server_stages", "[[1, 8, 1, 1]]", ((1, 8, 1, 1),)),
        ("server_stages", [[1, 8, 1, 1]], ((1, 8, 1, 1),)),
    ],
)
def test_settings_are_changed_by_name_from_text_or_values(name: str, text: Any, value: Any) -> None:
    assert getattr(override(AgileRecipe(), {name: text}), name) == value


def test_an_unknown_setting_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match=r"unknown recipe setting 'epoch'.*did you mean 'epochs'"):
        override(AgileRecipe(), {"epoch": 3})


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": "many"},
        {"epochs": 0},
        {"batch": 0},
        {"epochs": 1.5},
        {"learning_rate": -1},
        {"learning_rate": "nan"},
        {"flip": "perhaps"},
        {"optimiser": "sdg"},
        {"rho": 1.1},
        {"centroids": 1},
        {"centroids": 33},
        {"split_ratio": 0.0},
        {"split_ratio": 1.0},
        {"temperature": 0},
        {"alpha": 1.0},
        {"intervals": 0},
        {"server_stages": "[[1, 8]"},
        {"server_stages": "3"},
        {"server_stages": [[1, 8]]},
        {"server_stages": [[1, "x", 1, 1]]},
        {"reference_stages": [["bottleneck", 1, 8, 1, 1]]},
        {"distillation_temperature": 0},
        {"codec": "range", "progressive": True, "whole_share": 1.5},
    ],
)
def test_a_value_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        override(AgileRecipe(), change)


@pytest.mark.parametrize(
    ("change", "why", "remedy"),
    [
        ({"progressive": True}, "codec 'lzw' cannot be read before", "codec=range, huffman or none"),
        ({"rate_weight": 0.1}, "codec 'lzw' has none", "codec=range or huffman"),
        ({"rate_weight": 0.1, "codec": "none"}, "codec 'none' has none", "codec=range or huffman"),
        (
            {"rate_weight": 0.1, "codec": "range", "attribution_reuse": True},
            "would take the rate's gradient for importance",
            "leave out one of",
        ),
        ({"whole_share": 0.2}, "nothing uses the recipe's whole_share", "set progressive"),
        ({"distillation_temperature": 4.0}, "recipe's distillation_temperature", "set local_distillation"),
        ({"codec": "lz4"}, "unknown codec 'lz4'", "lzw"),
    ],
)
def test_settings_that_make_no_sense_together_are_refused_with_what_would(
    change: dict[str, Any], why: str, remedy: str
) -> None:
    with pytest.raises(UsageError) as refused:
        override(AgileRecipe(), change)
    assert why in str(refused.value)
    assert remedy in (refused.value.hint or "") + str(refused.value)


def test_equal_recipes_share_a_fingerprint_and_any_change_gives_another() -> None:
    plain = fingerprint(AgileRecipe())
    assert fingerprint(AgileRecipe()) == plain
    assert len({plain, fingerprint(AgileRecipe(epochs=3)), fingerprint(AgileRecipe(), 1)}) == 3


def test_settings_of_later_days_leave_older_bundles_their_names() -> None:
    assert "alpha" not in as_json(AgileRecipe())
    assert as_json(AgileRecipe(alpha=0.3))["alpha"] == 0.3
