"""MCUNet's networks: the published one costs what it should, and every one becomes int8 kernels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from hil import data
from hil.deploy.cost import macs, weight_bytes
from hil.deploy.graph import Add, DepthwiseConvolution
from hil.deploy.interpret import interpret
from hil.deploy.lower import plain
from hil.deploy.package import make_graph
from hil.deploy.plan import buffers_of, plan
from hil.deploy.program import DeviceHalf
from hil.errors import BundleError
from hil.schemes.halves import load_server
from hil.schemes.mcunet import McuNet
from hil.schemes.mcunet_network import McuNetwork
from hil.training.classifier_recipes import McuNetRecipe
from hil.training.mcunet import network_of
from hil.training.progress import silent
from hil_tests.unit.training.test_training import CifarShaped
from hil_tests.unit.training.toy import Toy
from hil_tests.unit.training.toy_classifiers import MCUNET


def macs_of(network: nn.Module, x: torch.Tensor) -> int:
    """Multiply-accumulates of convolutions and dense layers on one sample."""
    total = 0

    def count(layer: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        nonlocal total
        assert isinstance(layer, (nn.Conv2d, nn.Linear))
        total += output[0].numel() * layer.weight[0].numel()

    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(count)
    network(x)
    return total


def test_the_published_network_costs_what_was_published() -> None:
    network = network_of(McuNetRecipe(), 3, 1000).eval()
    assert round(macs_of(network, torch.zeros(1, 3, 96, 96)) / 1e6, 2) == 12.79


def test_its_residuals_are_where_channels_stay_and_nothing_strides() -> None:
    network = network_of(McuNetRecipe(), 3, 10)
    assert [block.residual for block in network.blocks] == [
        False, False, True, False, True, False, True, False, True, True, False, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["digits", "cifar10", "svhn", "words"])
def test_every_data_set_has_a_network_of_the_family(name: str) -> None:
    dataset = data.get(name)
    height, width, channels = dataset.shape
    network = network_of(McuNet().recipe(dataset), channels, dataset.classes).eval()
    x = torch.zeros(2, channels, height * dataset.upscale, width * dataset.upscale)
    assert network(x).shape == (2, dataset.classes)


@given(
    st.integers(1, 3),
    st.integers(2, 8),
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(2, 8), st.sampled_from([3, 5, 7]), st.integers(1, 2)),
        min_size=1,
        max_size=4,
    ),
    st.integers(8, 20),
)
@settings(max_examples=20)
def test_any_stages_give_logits(
    inputs: int, stem: int, blocks: list[tuple[int, int, int, int]], side: int
) -> None:
    network = McuNetwork(inputs, stem, blocks, 5).eval()
    assert network(torch.randn(2, inputs, side, side + 3)).shape == (2, 5)


def test_the_device_graph_has_logits_and_nothing_to_send() -> None:
    made = McuNet().train(Toy(), MCUNET, 0, None, silent)
    graph = make_graph(made)
    assert made.manifest.payload is None
    assert graph.feature is None
    assert graph.logits is not None
    assert graph.tensor(graph.logits).shape == (1, 1, Toy().classes)
    kernels = {op.kernel for op in graph.ops if isinstance(op, DepthwiseConvolution)}
    assert kernels == {(3, 3), (5, 5), (7, 7)}
    assert sum(isinstance(op, Add) for op in graph.ops) == 2
    placed = plan(buffers_of(plain(DeviceHalf(graph))))
    assert placed.offset("symbols") is None


def test_the_int8_network_answers_as_the_float_network() -> None:
    made = McuNet().train(Toy(), MCUNET, 0, None, silent)
    graph = make_graph(made)
    assert graph.logits is not None
    images = Toy().load("test").images
    inputs = graph.tensor(graph.input).quantise(made.manifest.input.prepare(images))
    logits = interpret(graph, inputs)[graph.logits].reshape(len(images), -1)
    assert np.mean(logits.argmax(axis=1) == made.tensors["record.predictions"]) > 0.9


def test_the_published_network_fits_the_board_it_was_made_for() -> None:
    recipe = replace(McuNetRecipe(), epochs=1, batch=2, limit=2, flip=False)
    graph = make_graph(McuNet().train(CifarShaped(), recipe, 0, None, silent))
    assert sum(macs(graph, op) for op in graph.ops) == 12_631_696
    assert sum(map(weight_bytes, graph.ops)) < 1 << 20
    assert plan(buffers_of(plain(DeviceHalf(graph)))).arena_bytes < 256 << 10


def test_there_is_no_server_half() -> None:
    made = McuNet().train(Toy(), MCUNET, 0, None, silent)
    with pytest.raises(BundleError, match="answers on the device alone"):
        load_server(made)
