"""Hypothesis strategies for int8 graphs of one operator, over all shapes the device half may have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from hil.deploy.graph import (
    Add,
    AveragePool,
    Clamp,
    Convolution,
    Dense,
    DepthwiseConvolution,
    Graph,
    MaxPool,
    Op,
    Pad,
    Slice,
    Tensor,
    Weights,
)
from hil.deploy.requantise import quantise_multiplier, single_rounding

Pair = tuple[int, int]

EXTREMES = np.array([-128, -127, -1, 0, 1, 126, 127], dtype=np.int8)


@dataclass(frozen=True)
class Case:
    """A graph and a batch of inputs for it."""

    graph: Graph
    inputs: NDArray[np.int8]


def _rng(draw: st.DrawFn) -> np.random.Generator:
    return np.random.default_rng(draw(st.integers(0, 2**32 - 1)))


def _tensor(draw: st.DrawFn, name: str, shape: tuple[int, int, int]) -> Tensor:
    return Tensor(name, shape, draw(st.floats(0.001, 0.5)), draw(st.integers(-128, 127)))


def _activation(draw: st.DrawFn) -> tuple[int, int]:
    if draw(st.booleans()):
        return -128, 127
    low = draw(st.integers(-128, 126))
    return low, draw(st.integers(low + 1, 127))


def _weights(
    rng: np.random.Generator, shape: tuple[int, ...], channels: int, depth: int, *, one: bool
) -> Weights:
    # Ratios around 1 / (127 · sqrt(depth)) keep outputs inside int8, so that rounding is exercised.
    ratios = rng.uniform(0.2, 3.0, channels) / (127.0 * np.sqrt(depth))
    make = single_rounding if rng.random() < 0.5 else quantise_multiplier
    fixed = [make(float(ratios[0] if one else ratio)) for ratio in ratios]
    values = rng.integers(-127, 128, shape, dtype=np.int8)
    values[rng.random(shape) < 0.1] = rng.choice(EXTREMES[1:])
    return Weights(
        values=values,
        bias=rng.integers(-5000, 5000, channels, dtype=np.int32),
        multiplier=np.array([m for m, _ in fixed], dtype=np.int32),
        shift=np.array([s for _, s in fixed], dtype=np.int32),
    )


def _case(rng: np.random.Generator, tensors: list[Tensor], op: Op) -> Case:
    graph = Graph({t.name: t for t in tensors}, (op,), "in", op.output, None)
    shape = (3, *graph.tensor("in").shape)
    inputs = rng.integers(-128, 128, shape, dtype=np.int8)
    inputs[2] = rng.choice(EXTREMES, shape[1:])
    return Case(graph, inputs)


def _windowed(draw: st.DrawFn, *, kernel_max: int = 5) -> tuple[Pair, dict[str, Pair], Pair]:
    """Input (height, width), window arguments, and output (height, width)."""
    extents, outputs = [], []
    window: dict[str, list[int]] = {"kernel": [], "stride": [], "padding": []}
    for _ in range(2):
        kernel = draw(st.integers(1, kernel_max))
        extent = draw(st.integers(max(1, kernel - 1), 12))
        padding = draw(st.integers(0, (kernel - 1) // 2))
        if extent + 2 * padding < kernel:
            extent = kernel
        stride = draw(st.integers(1, 3))
        window["kernel"].append(kernel)
        window["stride"].append(stride)
        window["padding"].append(padding)
        extents.append(extent)
        outputs.append((extent + 2 * padding - kernel) // stride + 1)
    arguments = {name: (values[0], values[1]) for name, values in window.items()}
    return (extents[0], extents[1]), arguments, (outputs[0], outputs[1])


@st.composite
def convolutions(draw: st.DrawFn) -> Case:
    rng = _rng(draw)
    (h, w), window, (oh, ow) = _windowed(draw)
    c, out = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    shape = (out, *window["kernel"], c)
    weights = _weights(rng, shape, out, int(np.prod(shape[1:])), one=False)
    tensors = [_tensor(draw, "in", (h, w, c)), _tensor(draw, "out", (oh, ow, out))]
    op = Convolution(
        name="conv", inputs=("in",), output="out", weights=weights, activation=_activation(draw), **window
    )
    return _case(rng, tensors, op)


@st.composite
def pointwise_convolutions(draw: st.DrawFn) -> Case:
    rng = _rng(draw)
    h, w = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    c, out = draw(st.integers(1, 32)), draw(st.integers(1, 32))
    weights = _weights(rng, (out, 1, 1, c), out, c, one=False)
    tensors = [_tensor(draw, "in", (h, w, c)), _tensor(draw, "out", (h, w, out))]
    op = Convolution(
        name="pointwise", inputs=("in",), output="out", weights=weights, activation=_activation(draw),
        kernel=(1, 1), stride=(1, 1), padding=(0, 0),
    )  # fmt: skip
    return _case(rng, tensors, op)


@st.composite
def depthwise_convolutions(draw: st.DrawFn) -> Case:
    rng = _rng(draw)
    (h, w), window, (oh, ow) = _windowed(draw)
    c, multiplier = draw(st.integers(1, 20)), draw(st.sampled_from([1, 1, 1, 2, 3]))
    weights = _weights(rng, (*window["kernel"], c * multiplier), c * multiplier, 9, one=False)
    tensors = [_tensor(draw, "in", (h, w, c)), _tensor(draw, "out", (oh, ow, c * multiplier))]
    op = DepthwiseConvolution(
        name="depthwise", inputs=("in",), output="out", weights=weights, activation=_activation(draw),
        channel_multiplier=multiplier, **window,
    )  # fmt: skip
    return _case(rng, tensors, op)


@st.composite
def dense_layers(draw: st.DrawFn) -> Case:
    rng = _rng(draw)
    depth, out = draw(st.integers(1, 200)), draw(st.integers(1, 24))
    weights = _weights(rng, (out, depth), out, depth, one=True)
    tensors = [_tensor(draw, "in", (1, 1, depth)), _tensor(draw, "out", (1, 1, out))]
    op = Dense(name="dense", inputs=("in",), output="out", weights=weights, activation=_activation(draw))
    return _case(rng, tensors, op)


def _pools(kind: type[AveragePool] | type[MaxPool]) -> st.SearchStrategy[Case]:
    @st.composite
    def build(draw: st.DrawFn) -> Case:
        rng = _rng(draw)
        (h, w), window, (oh, ow) = _windowed(draw)
        c = draw(st.integers(1, 20))
        first = _tensor(draw, "in", (h, w, c))
        last = Tensor("out", (oh, ow, c), first.scale, first.zero_point)
        op = kind(name="pool", inputs=("in",), output="out", activation=_activation(draw), **window)
        return _case(rng, [first, last], op)

    return build()


average_pools = _pools(AveragePool)
max_pools = _pools(MaxPool)


@st.composite
def additions(draw: st.DrawFn) -> Case:
    """in + in: the two operands are one tensor, rescaled differently."""
    rng = _rng(draw)
    shape = tuple(draw(st.integers(1, 9)) for _ in range(3))
    first, last = _tensor(draw, "in", shape), _tensor(draw, "out", shape)  # type: ignore[arg-type]
    fixed = [quantise_multiplier(draw(st.floats(0.01, 0.5))) for _ in range(2)]
    output = quantise_multiplier(draw(st.floats(0.1, 4.0)) * 2.0**-19)
    op = Add(
        name="add", inputs=("in", "in"), output="out", left_shift=20,
        multipliers=(fixed[0][0], fixed[1][0]), shifts=(fixed[0][1], fixed[1][1]),
        output_multiplier=output[0], output_shift=output[1], activation=_activation(draw),
    )  # fmt: skip
    return _case(rng, [first, last], op)


@st.composite
def pads(draw: st.DrawFn) -> Case:
    rng = _rng(draw)
    h, w, c = (draw(st.integers(1, 9)) for _ in range(3))
    top, bottom, left, right = (draw(st.integers(0, 3)) for _ in range(4))
    first = _tensor(draw, "in", (h, w, c))
    last = Tensor("out", (h + top + bottom, w + left + right, c), first.scale, first.zero_point)
    op = Pad(name="pad", inputs=("in",), output="out", amounts=(top, bottom, left, right))
    return _case(rng, [first, last], op)


@st.composite
def clamps(draw: st.DrawFn) -> Case:
    rng = _rng(draw)
    first = _tensor(draw, "in", tuple(draw(st.integers(1, 9)) for _ in range(3)))  # type: ignore[arg-type]
    last = Tensor("out", first.shape, first.scale, first.zero_point)
    op = Clamp(name="clamp", inputs=("in",), output="out", activation=_activation(draw))
    return _case(rng, [first, last], op)


@st.composite
def slices(draw: st.DrawFn) -> Case:
    rng = _rng(draw)
    h, w, c = (draw(st.integers(1, 12)) for _ in range(3))
    begin = draw(st.integers(0, c - 1))
    end = draw(st.integers(begin + 1, c))
    first = _tensor(draw, "in", (h, w, c))
    last = Tensor("out", (h, w, end - begin), first.scale, first.zero_point)
    op = Slice(name="slice", inputs=("in",), output="out", begin=begin, end=end)
    return _case(rng, [first, last], op)


OPERATORS: dict[str, st.SearchStrategy[Case]] = {
    "convolution": convolutions(),
    "pointwise": pointwise_convolutions(),
    "depthwise": depthwise_convolutions(),
    "dense": dense_layers(),
    "average_pool": average_pools,
    "max_pool": max_pools,
    "add": additions(),
    "pad": pads(),
    "clamp": clamps(),
    "slice": slices(),
}
