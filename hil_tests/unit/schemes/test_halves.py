"""Weights go into the network they belong to, and into no other."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hil import bundle
from hil.bundle import Bundle
from hil.errors import BundleError
from hil.schemes.halves import load_device, load_halves, load_server
from hil.zoo import shelf

WEIGHT = "device.features.pointwise.weight"


@pytest.fixture
def loaded(toy_bundle: Path) -> Bundle:
    return bundle.load(toy_bundle)


def _with(loaded: Bundle, tensors: dict[str, NDArray[Any]]) -> Bundle:
    return replace(loaded, tensors=loaded.tensors | tensors)


def test_both_halves_come_back_in_evaluation_mode_with_their_weights(loaded: Bundle) -> None:
    device, server = load_halves(loaded)
    assert not device.training
    assert not server.training
    assert not any(parameter.requires_grad for half in (device, server) for parameter in half.parameters())
    weight = device.get_parameter(WEIGHT.removeprefix("device."))
    assert np.array_equal(weight.numpy(), loaded.tensors[WEIGHT])


def test_a_missing_tensor_is_named(loaded: Bundle) -> None:
    tensors = {name: value for name, value in loaded.tensors.items() if name != WEIGHT}
    with pytest.raises(
        BundleError, match=r"device half lacks or adds the tensor 'features.pointwise.weight'"
    ):
        load_halves(replace(loaded, tensors=tensors))


def test_a_foreign_tensor_is_named(loaded: Bundle) -> None:
    with pytest.raises(BundleError, match="server half lacks or adds the tensor 'extra'"):
        load_halves(_with(loaded, {"server.extra": np.zeros(1, np.float32)}))


def test_a_wrong_shape_is_named(loaded: Bundle) -> None:
    with pytest.raises(BundleError, match=r"device.features.pointwise.weight has shape \(1,\)"):
        load_halves(_with(loaded, {WEIGHT: np.zeros(1, np.float32)}))


def test_weights_that_are_no_numbers_are_refused(loaded: Bundle) -> None:
    broken = loaded.tensors[WEIGHT].copy()
    broken.flat[0] = np.nan
    with pytest.raises(BundleError, match="is not finite"):
        load_halves(_with(loaded, {WEIGHT: broken}))


@pytest.mark.parametrize(
    "config", [{}, {"recipe": {"unheard_of": 1}}, {"recipe": {"epochs": 0}}, {"recipe": 3}]
)
def test_a_manifest_with_another_recipe_is_refused(loaded: Bundle, config: dict[str, Any]) -> None:
    with pytest.raises(BundleError, match="recipe is foreign"):
        load_halves(replace(loaded, manifest=replace(loaded.manifest, config=config)))


def test_a_bundle_survives_a_round_trip(loaded: Bundle, tmp_path: Path) -> None:
    bundle.save(loaded, tmp_path / "again.safetensors")
    first, _ = load_halves(loaded)
    second, _ = load_halves(bundle.load(tmp_path / "again.safetensors"))
    x = torch.randn(2, 3, 18, 18)
    assert all(torch.equal(a, b) for a, b in zip(first(x), second(x), strict=True))


@pytest.mark.parametrize("scheme", ["agilenn", "spinn", "deepcod", "edge_only", "mcunet"])
@pytest.mark.parametrize("strange", ["x", [], [[1]], {"x": 1}, None, -1, 0.5, [["x"] * 4] * 3])
def test_settings_that_make_no_network_are_the_bundles_fault(scheme: str, strange: Any) -> None:
    """Each of a shipped bundle's settings in turn: the network comes, or BundleError, nothing else."""
    sound = bundle.load(shelf.FOLDER / f"{scheme}-digits.safetensors")
    for name in [name for name, value in sound.manifest.config["recipe"].items() if isinstance(value, list)]:
        recipe = {**sound.manifest.config["recipe"], name: strange}
        manifest = replace(sound.manifest, config={**sound.manifest.config, "recipe": recipe})
        with contextlib.suppress(BundleError):
            load_device(replace(sound, manifest=manifest))
        with contextlib.suppress(BundleError):
            load_server(replace(sound, manifest=manifest))


def test_what_settings_announce_is_not_allocated() -> None:
    sound = bundle.load(shelf.FOLDER / "agilenn-digits.safetensors")
    huge = {**sound.manifest.config["recipe"], "server_head": 10**9}
    manifest = replace(sound.manifest, config={**sound.manifest.config, "recipe": huge})
    with pytest.raises(BundleError, match="has shape"):
        load_server(replace(sound, manifest=manifest))
