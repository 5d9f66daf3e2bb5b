"""The networks that kernels are measured on are what they are said to be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hil.bench.networks import mobilenet_v2_035, resnet8
from hil.deploy.cost import macs
from hil.deploy.graph import Add, Convolution, Graph
from hil.deploy.interpret import interpret


def test_resnet8_is_the_one_of_mlperf_tiny() -> None:
    graph = resnet8()
    assert sum(macs(graph, op) for op in graph.ops) == 12_501_632
    assert sum(isinstance(op, Add) for op in graph.ops) == 3


def test_mobilenet_has_seventeen_blocks_and_ends_in_a_map_of_a_32nd() -> None:
    graph = mobilenet_v2_035(64)
    assert graph.tensor("head").shape == (2, 2, 1280)
    assert sum(op.name.endswith("_project") for op in graph.ops) == 17


@pytest.mark.parametrize("make", [resnet8, lambda: mobilenet_v2_035(32)])
def test_maps_are_neither_empty_nor_saturated(make: Callable[[], Graph]) -> None:
    graph = make()
    rng = np.random.default_rng(3)
    shape = graph.tensor(graph.input).shape
    values = interpret(graph, rng.integers(-100, 101, (2, *shape), dtype=np.int8))
    for op in graph.ops:
        map_ = values[op.output]
        assert (map_ == 127).mean() < 0.2, op.name
        assert map_.std() > 3.0, op.name


def test_weights_come_from_the_seed() -> None:
    def first(seed: int) -> bytes:
        op = resnet8(seed=seed).ops[0]
        assert isinstance(op, Convolution)
        return op.weights.values.tobytes()

    assert first(1) == first(1) != first(2)
