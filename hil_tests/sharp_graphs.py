"""Graphs of one operator for kernels that round once, with values where such kernels go wrong.

Multipliers have shift 0; inputs, weights, zero points, clamps and biases are at the ends of their ranges
as often as not, biases up to where the device's 32-bit sums wrap.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from hil.deploy.graph import Add, AveragePool, Convolution, DepthwiseConvolution, Graph, Op, Tensor, Weights
from hil.deploy.requantise import quantise_multiplier
from hil_tests import graphs
from hil_tests.graphs import Case

ENDS = (-128, 127)
_INT32 = np.iinfo(np.int32)


@st.composite
def _zero_point(draw: st.DrawFn) -> int:
    return draw(st.sampled_from(ENDS) | st.integers(-128, 127))


@st.composite
def _clamp(draw: st.DrawFn) -> tuple[int, int]:
    low = draw(st.just(-128) | st.integers(-128, 126))
    return low, draw(st.just(127) | st.integers(low + 1, 127))


def _numbers(rng: np.random.Generator, shape: tuple[int, ...], kind: str) -> NDArray[np.int8]:
    if kind == "ends":
        return rng.choice(np.array(ENDS, dtype=np.int8), shape)
    values = rng.integers(-128, 128, shape, dtype=np.int8)
    return np.full(shape, -128, np.int8) if kind == "least" else values


@st.composite
def sharpened(draw: st.DrawFn, cases: st.SearchStrategy[Case]) -> Case:
    """A case of `cases` with all numbers exchanged, shapes kept."""
    case = draw(cases)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    (op,) = case.graph.ops
    assert isinstance(op, Convolution | DepthwiseConvolution)
    kinds = st.sampled_from(["any", "ends", "least"])
    values = _numbers(rng, op.weights.values.shape, draw(kinds))
    channels = len(op.weights.bias)
    taps = values.size // channels
    ratios = rng.uniform(0.2, 3.0, channels) / (127.0 * np.sqrt(taps))
    multiplier = np.rint(ratios * (1 << 31)).astype(np.int32)
    if draw(st.booleans()):
        multiplier[rng.random(channels) < 0.3] = draw(st.sampled_from([1, (1 << 30) - 1]))
    bias = rng.integers(-5000, 5000, channels, dtype=np.int32)
    if draw(st.booleans()):
        bias[rng.random(channels) < 0.3] = draw(st.sampled_from([_INT32.min, _INT32.max]))
    weights = Weights(values=values, bias=bias, multiplier=multiplier, shift=np.zeros(channels, np.int32))
    inputs = _numbers(rng, case.inputs.shape, draw(kinds))
    inputs[0] = rng.integers(-128, 128, inputs.shape[1:], dtype=np.int8)
    sharper = replace(op, weights=weights, activation=draw(_clamp()))
    return Case(_with_zero_points(draw, case.graph, sharper), inputs)


def _with_zero_points(draw: st.DrawFn, graph: Graph, op: Op) -> Graph:
    tensors = {
        name: replace(tensor, zero_point=draw(_zero_point())) for name, tensor in graph.tensors.items()
    }
    return replace(graph, tensors=tensors, ops=(op,))


@st.composite
def depthwise_3x3(draw: st.DrawFn, widest: int) -> Case:
    """Every stride, padding and number of channels that the kernel has code for."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    stride, padding = draw(st.sampled_from([1, 2])), (draw(st.integers(0, 1)), draw(st.integers(0, 1)))
    height, width = draw(st.integers(3, 7)), draw(st.integers(3, widest))
    channels = draw(st.sampled_from([1, 2, 3, 4, 5, 8, 12, 20]))
    # Where an end is not padded, windows may also end before the map does.
    below, right = draw(st.integers(0, 1)), draw(st.integers(0, 1))
    out = tuple(
        (extent + before + after - 3) // stride + 1
        for extent, before, after in zip((height, width), padding, (below, right), strict=True)
    )
    weights = Weights(
        values=rng.integers(-127, 128, (3, 3, channels), dtype=np.int8),
        bias=np.zeros(channels, np.int32),
        multiplier=np.ones(channels, np.int32),
        shift=np.zeros(channels, np.int32),
    )
    op = DepthwiseConvolution(
        name="depthwise", inputs=("in",), output="out", weights=weights, kernel=(3, 3),
        stride=(stride, stride), padding=padding,
    )  # fmt: skip
    tensors = [Tensor("in", (height, width, channels), 0.02, 0), Tensor("out", (*out, channels), 0.02, 0)]
    graph = Graph({t.name: t for t in tensors}, (op,), "in", "out", None)
    return Case(graph, np.zeros((2, height, width, channels), np.int8))


@st.composite
def additions(draw: st.DrawFn) -> Case:
    """Scales as the quantiser pairs them (the larger one becomes a half), and others."""
    case = draw(graphs.additions())
    (op,) = case.graph.ops
    assert isinstance(op, Add)
    half = quantise_multiplier(0.5)
    fixed = [half if draw(st.booleans()) else quantise_multiplier(draw(st.floats(1e-4, 0.5))) for _ in "ab"]
    output = quantise_multiplier(draw(st.floats(0.3, 8.0)) / (1 << op.left_shift))
    sharper = replace(
        op, multipliers=(fixed[0][0], fixed[1][0]), shifts=(fixed[0][1], fixed[1][1]),
        output_multiplier=output[0], output_shift=output[1], activation=draw(_clamp()),
    )  # fmt: skip
    return Case(_with_zero_points(draw, case.graph, sharper), case.inputs)


@st.composite
def averages(draw: st.DrawFn) -> Case:
    """Over whole maps, of more pixels than 16-bit sums hold, too."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    height, width = draw(st.integers(1, 18)), draw(st.integers(1, 18))
    channels = draw(st.sampled_from([1, 3, 4, 8, 10, 12]))
    first = Tensor("in", (height, width, channels), 0.02, draw(_zero_point()))
    op = AveragePool(
        name="average", inputs=("in",), output="out", kernel=(height, width), stride=(1, 1), padding=(0, 0),
        activation=draw(_clamp()),
    )  # fmt: skip
    last = Tensor("out", (1, 1, channels), first.scale, first.zero_point)
    inputs = _numbers(rng, (3, height, width, channels), draw(st.sampled_from(["any", "ends", "least"])))
    inputs[0] = np.clip(rng.normal(draw(st.integers(-128, 127)), 3.0, inputs.shape[1:]), -128, 127)
    return Case(Graph({"in": first, "out": last}, (op,), "in", "out", None), inputs)


CONVOLUTIONS = sharpened(graphs.convolutions() | graphs.pointwise_convolutions())
DEPTHWISE = sharpened(depthwise_3x3(20))
SMALL_DEPTHWISE = sharpened(depthwise_3x3(6))
