"""Speed is a choice of the recipe, and none of the choices is made for you."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from hil.data import registry as datasets
from hil.errors import TrainingError, UsageError
from hil.schemes import registry
from hil.schemes.agilenn import AgileNN
from hil.training.device import arithmetic, device_of, identity, laid_out, settle
from hil.training.progress import silent
from hil.training.recipe import AgileRecipe, Recipe, as_json, fingerprint, override
from hil_tests.unit.training.toy import Toy, recipe

CPU = torch.device("cpu")


@pytest.fixture
def without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.usefixtures("without_cuda")
def test_auto_takes_the_cpu_where_there_is_nothing_else() -> None:
    assert device_of(Recipe(device="auto")) == CPU


@pytest.mark.usefixtures("without_cuda")
def test_cuda_that_is_not_there_is_an_error() -> None:
    with pytest.raises(TrainingError, match="asks for CUDA"):
        device_of(Recipe(device="cuda"))


def test_a_recipe_trains_on_the_cpu_unless_it_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_of(Recipe()) == CPU
    assert identity(CPU)["device"] == "cpu"


def test_bf16_computes_in_16_bits_and_float32_does_not() -> None:
    layer, values = torch.nn.Linear(4, 4), torch.rand(2, 4)
    for precision, kind in (("float32", torch.float32), ("bf16", torch.bfloat16)):
        with arithmetic(override(Recipe(), {"precision": precision}), CPU):
            assert layer(values).dtype == kind


def test_channels_last_lays_weights_and_images_out() -> None:
    layer = settle(torch.nn.Conv2d(3, 4, 3), Recipe(channels_last=True), CPU)
    images = laid_out(torch.rand(2, 3, 5, 5), Recipe(channels_last=True))
    for tensor in (layer.weight, images):
        assert tensor.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("change", [{"precision": "bf16"}, {"channels_last": True}, {"device": "auto"}])
def test_every_choice_trains(change: dict[str, Any]) -> None:
    made = AgileNN().train(Toy(), recipe(epochs=1, reference_epochs=1, **change), 0, None, silent)
    assert np.isfinite(made.manifest.metrics["skewness"])
    assert all(value.dtype != np.float16 for value in made.tensors.values())


@pytest.mark.slow
def test_a_compiled_training_trains() -> None:
    one = {"server_stages": ((1, 8, 1, 1),), "reference_stages": (("fused", 1, 12, 1, 1),)}
    quick = recipe(epochs=1, reference_epochs=1, compile=True, **one)
    assert np.isfinite(AgileNN().train(Toy(), quick, 0, None, silent).manifest.metrics["skewness"])


@pytest.mark.parametrize("change", [{"precision": "fp16"}, {"device": "tpu"}, {"attribution_every": 0}])
def test_a_choice_that_there_is_not_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        override(AgileRecipe(), change)


LATER = (
    {"device": "auto"},
    {"precision": "bf16"},
    {"compile": True},
    {"channels_last": True},
    {"attribution_every": 2},
    {"attribution_batch": 8},
    {"attribution_reuse": True},
)


@pytest.mark.parametrize("change", LATER)
def test_a_later_setting_counts_only_where_it_is_used(change: dict[str, Any]) -> None:
    (name,) = change
    assert name not in as_json(AgileRecipe())
    used = replace(AgileRecipe(), **change)
    assert as_json(used)[name] == change[name]
    assert fingerprint(used) != fingerprint(AgileRecipe())
    assert AgileRecipe(**as_json(used)) == replace(used, **_as_lists(used))


def _as_lists(used: AgileRecipe) -> dict[str, Any]:
    """Stages as JSON has them."""
    names = ("server_stages", "reference_stages")
    return {name: [list(row) for row in getattr(used, name)] for name in names}


def test_the_digits_keep_the_name_they_had_before_there_were_later_settings() -> None:
    digits = datasets.get("digits")
    key = fingerprint(1, "agilenn", "digits", registry.recipe("agilenn", digits), 0)
    assert key == "cc98a3e115585168"


def test_a_small_recipe_is_smaller() -> None:
    cifar = datasets.get("cifar10")
    full, small = (registry.recipe("agilenn", cifar, size) for size in ("full", "small"))
    assert isinstance(full, AgileRecipe)
    assert isinstance(small, AgileRecipe)
    assert small.epochs < full.epochs
    assert small.reference_epochs < full.reference_epochs
    assert (small.channels, small.local_channels) == (full.channels, full.local_channels)


def test_a_size_that_there_is_not_and_a_scheme_without_a_small_recipe_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    digits = datasets.get("digits")
    with pytest.raises(UsageError, match="tiny"):
        registry.recipe("agilenn", digits, "tiny")
    monkeypatch.setitem(registry._SCHEMES, "agilenn", SimpleNamespace(recipe=lambda dataset: Recipe()))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no small recipe"):
        registry.recipe("agilenn", digits, "small")
