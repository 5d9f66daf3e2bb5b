"""The two halves, as the paper describes them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from hil import data
from hil.errors import UsageError
from hil.schemes import registry
from hil.schemes.agilenn_device import DeviceHalf
from hil.schemes.inverted_residual import InvertedResidual
from hil.training.agilenn import device_half, server_half
from hil.training.recipe import AgileRecipe


def _macs(module: nn.Module, x: torch.Tensor) -> int:
    """Multiply-accumulates of all convolutions on one sample."""
    total = 0

    def count(layer: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        nonlocal total
        assert isinstance(layer, nn.Conv2d)
        total += output[0].numel() * layer.weight[0].numel()

    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(count)
    module(x)
    return total


def test_the_extractor_costs_what_the_paper_implies() -> None:
    device = device_half(AgileRecipe(), 3, 10).eval()
    assert _macs(device, torch.zeros(1, 3, 96, 96)) == 175_104  # facts, "What the device has to compute"


@pytest.mark.parametrize(("name", "side"), [("digits", 8), ("cifar10", 32)])
def test_feature_maps_have_the_papers_shape(name: str, side: int) -> None:
    dataset = data.get(name)
    recipe = registry.get("agilenn").recipe(dataset)
    assert isinstance(recipe, AgileRecipe)
    height, width, channels = (
        n * k for n, k in zip(dataset.shape, (dataset.upscale,) * 2 + (1,), strict=True)
    )
    device = device_half(recipe, channels, dataset.classes).eval()
    logits, features = device(torch.zeros(1, channels, height, width))
    assert features.shape == (1, 24, side, side)
    assert logits.shape == (1, 10)
    assert server_half(recipe, 10).eval()(features[:, 5:]).shape == (1, 10)


@given(
    st.integers(1, 3), st.integers(1, 6), st.integers(2, 24), st.integers(1, 6), st.integers(1, 6), st.data()
)
@settings(max_examples=30)
def test_features_stay_in_relu6s_range_and_logits_see_only_local_channels(
    inputs: int, stem: int, channels: int, rows: int, columns: int, more: st.DataObject
) -> None:
    local = more.draw(st.integers(1, channels - 1))
    device = DeviceHalf(inputs, stem, channels, local, classes=4).eval()
    logits, features = device(10 * torch.randn(2, inputs, 3 * rows, 3 * columns))
    assert features.shape == (2, channels, rows, columns)
    assert features.min() >= 0
    assert features.max() <= 6
    assert torch.equal(device.predictor(features[:, :local]), logits)


@given(st.integers(1, 8), st.integers(1, 8), st.integers(1, 4), st.integers(1, 2), st.integers(1, 9))
@settings(max_examples=30)
def test_an_inverted_residual_adds_its_input_where_shapes_allow(
    inputs: int, outputs: int, expansion: int, stride: int, side: int
) -> None:
    block = InvertedResidual(inputs, outputs, expansion, stride).eval()
    last = list(block.body.modules())[-1]
    assert isinstance(last, nn.BatchNorm2d)
    nn.init.zeros_(last.weight)
    x = torch.randn(2, inputs, side, side)
    y = block(x)
    assert y.shape == (2, outputs, -(-side // stride), -(-side // stride))
    assert torch.equal(y, x if block.residual else torch.zeros_like(y))
    assert block.residual == (stride == 1 and inputs == outputs)


def test_no_layer_before_a_norm_has_a_bias() -> None:
    for half in (device_half(AgileRecipe(), 3, 10), server_half(AgileRecipe(), 10)):
        layers = [module for module in half.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
        assert layers
        assert all(layer.bias is None for layer in layers)


def test_a_misspelt_scheme_is_answered_with_the_nearest_one() -> None:
    assert "agilenn" in registry.names()
    with pytest.raises(UsageError, match=r"unknown scheme 'agile'.*did you mean 'agilenn'"):
        registry.get("agile")
