"""The interpreter against plain loops written from the definition of each operator."""

from __future__ import annotations

import numpy as np
import pytest
from hil_tests import graphs
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.deploy.graph import Convolution, DepthwiseConvolution, Window
from hil.deploy.interpret import interpret
from hil.deploy.requantise import requantise


def _taps(op: Window, y: int, x: int, shape: tuple[int, int, int]):
    for ky in range(op.kernel[0]):
        for kx in range(op.kernel[1]):
            row, column = y * op.stride[0] + ky - op.padding[0], x * op.stride[1] + kx - op.padding[1]
            if 0 <= row < shape[0] and 0 <= column < shape[1]:
                yield ky, kx, row, column


@settings(max_examples=30, deadline=None)
@given(graphs.OPERATORS["convolution"] | graphs.OPERATORS["depthwise"])
def test_convolutions_sum_weighted_taps(case: graphs.Case) -> None:
    op, graph = case.graph.ops[0], case.graph
    assert isinstance(op, Convolution | DepthwiseConvolution)
    source, output = graph.tensor("in"), graph.tensor("out")
    got = interpret(graph, case.inputs)["out"][0]
    rng = np.random.default_rng(0)
    for _ in range(8):
        y, x, c = (int(rng.integers(extent)) for extent in output.shape)
        total = int(op.weights.bias[c])
        for ky, kx, row, column in _taps(op, y, x, source.shape):
            pixel = case.inputs[0, row, column].astype(int) - source.zero_point
            if isinstance(op, Convolution):
                total += int(pixel @ op.weights.values[c, ky, kx].astype(int))
            else:
                total += int(pixel[c // op.channel_multiplier]) * int(op.weights.values[ky, kx, c])
        scaled = requantise(np.array([total]), int(op.weights.multiplier[c]), int(op.weights.shift[c]))[0]
        assert got[y, x, c] == np.clip(scaled + output.zero_point, *op.activation)


@settings(max_examples=30, deadline=None)
@given(graphs.average_pools | graphs.max_pools)
def test_pools_ignore_the_padding(case: graphs.Case) -> None:
    op, graph = case.graph.ops[0], case.graph
    assert isinstance(op, Window)
    got = interpret(graph, case.inputs)["out"][1]
    for y in range(got.shape[0]):
        for x in range(got.shape[1]):
            taps = [
                case.inputs[1, r, c].astype(int) for _, _, r, c in _taps(op, y, x, graph.tensor("in").shape)
            ]
            if "Average" in type(op).__name__:
                total, n = np.sum(taps, axis=0), len(taps)
                expected = np.trunc((total + np.where(total > 0, n // 2, -(n // 2))) / n)
            else:
                expected = np.max(taps, axis=0)
            assert (got[y, x] == np.clip(expected, *op.activation)).all()


@pytest.mark.parametrize("name", graphs.OPERATORS)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_a_batch_gives_what_its_samples_give_alone(name: str, data: st.DataObject) -> None:
    case = data.draw(graphs.OPERATORS[name])
    together = interpret(case.graph, case.inputs)["out"]
    assert together.dtype == np.int8
    assert together.shape[1:] == case.graph.tensor("out").shape
    for index in range(len(case.inputs)):
        assert (interpret(case.graph, case.inputs[index : index + 1])["out"][0] == together[index]).all()


@settings(max_examples=1, deadline=None)
@given(graphs.OPERATORS["clamp"])
def test_an_input_of_another_shape_is_refused(case: graphs.Case) -> None:
    with pytest.raises(ValueError, match="the graph takes int8"):
        interpret(case.graph, np.zeros((1, 99, 99, 1), dtype=np.int8))
