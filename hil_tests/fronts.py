"""Hypothesis strategies for device halves that begin like AgileNN's, over all shapes and payloads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from hil.bundle import PayloadFormat
from hil.codec.coder import make_coder
from hil.codec.tables import tables_from
from hil.deploy.fuse import symbol_table
from hil.deploy.graph import AveragePool, Convolution, DepthwiseConvolution, Graph, Op, Slice, Tensor, Weights
from hil.deploy.interpret import interpret
from hil.deploy.program import DeviceHalf
from hil.deploy.requantise import single_rounding

EXTREMES = np.array([-128, -127, -1, 0, 1, 126, 127], np.int8)
SAMPLES = 3


@dataclass(frozen=True, repr=False)
class FrontCase:
    """A device half, inputs for it, and what has to come out of them."""

    half: DeviceHalf
    inputs: NDArray[np.int8]
    payloads: tuple[bytes, ...]
    logits: NDArray[np.int8] | None
    """(N, channels) means; None without a pool."""


def _weights(rng: np.random.Generator, shape: tuple[int, ...], channels: int, depth: int) -> Weights:
    ratios = rng.uniform(0.2, 4.0, channels) / (127.0 * np.sqrt(depth))
    fixed = [single_rounding(float(ratio)) for ratio in ratios]
    values = rng.integers(-128, 128, shape, dtype=np.int8)
    if rng.random() < 0.2:
        values = rng.choice(EXTREMES, shape)
    return Weights(
        values=values,
        bias=rng.integers(-20000, 20000, channels, dtype=np.int32),
        multiplier=np.array([multiplier for multiplier, _ in fixed], np.int32),
        shift=np.array([shift for _, shift in fixed], np.int32),
    )


@st.composite
def fronts(draw: st.DrawFn) -> FrontCase:
    """Depthwise, pointwise, 3×3 depthwise, pointwise, and with luck the mean of some channels."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    graph, sent = _graph(draw, rng)
    feature = graph.tensor("feature")
    count = draw(st.integers(2, 8))
    centroids = tuple(np.sort(rng.uniform(feature.scale * -140, feature.scale * 140, count)).tolist())
    codec, order = draw(
        st.sampled_from(
            [
                ("none", "planes"),
                ("range", "planes"),
                ("none", "rows"),
                ("range", "rows"),
                ("context", "rows"),
            ]
        )
    )
    form = PayloadFormat(sent[0], sent[1] - sent[0], *feature.shape[:2], centroids, codec, order=order)
    symbol_of = symbol_table(feature, centroids)
    inputs = rng.integers(-128, 128, (SAMPLES, *graph.tensor("in").shape), dtype=np.int8)
    inputs[1] = rng.choice(EXTREMES, inputs.shape[1:])
    inputs[2] = rng.choice([-128, 127])
    values = interpret(graph, inputs)
    planes = values["feature"][..., sent[0] : sent[1]].transpose(0, 3, 1, 2).reshape(SAMPLES, -1)
    symbols = symbol_of[planes.astype(np.int16) + 128]
    coder = make_coder(form, tables_from(form, symbols))
    logits = values[graph.logits].reshape(SAMPLES, -1) if graph.logits else None
    payloads = tuple(coder.encode(part) for part in symbols)
    return FrontCase(DeviceHalf(graph, coder, symbol_of), inputs, payloads, logits)


def _graph(draw: st.DrawFn, rng: np.random.Generator) -> tuple[Graph, tuple[int, int]]:
    """The graph, and the channels that are sent."""
    inputs, inner, outputs = draw(st.integers(1, 4)), draw(st.integers(1, 6)), draw(st.integers(2, 9))
    height, width = draw(st.integers(1, 7)), 4 * draw(st.integers(1, 4))
    kernel = (draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    stride = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    rows = (height - 1) * stride[0] + kernel[0] + draw(st.integers(0, 2))
    columns = (width - 1) * stride[1] + kernel[1]
    columns += -columns % (4 // np.gcd(inputs, 4))  # rows of whole words

    def tensor(name: str, *shape: int) -> Tensor:
        zero = draw(st.one_of(st.sampled_from([-128, 127]), st.integers(-128, 127)))
        return Tensor(name, (shape[0], shape[1], shape[2]), draw(st.floats(0.001, 0.5)), zero)

    tensors = [
        tensor("in", rows, columns, inputs),
        tensor("first", height, width, inputs),
        tensor("stem", height, width, inner),
        tensor("middle", height, width, inner),
        tensor("feature", height, width, outputs),
    ]
    one = {"kernel": (1, 1), "stride": (1, 1), "padding": (0, 0)}
    ops: list[Op] = [
        DepthwiseConvolution(
            name="a", inputs=("in",), output="first", kernel=kernel, stride=stride, padding=(0, 0),
            weights=_weights(rng, (*kernel, inputs), inputs, kernel[0] * kernel[1]),
        ),
        Convolution(
            name="b", inputs=("first",), output="stem", **one,  # type: ignore[arg-type]
            weights=_weights(rng, (inner, 1, 1, inputs), inner, inputs),
        ),
        DepthwiseConvolution(
            name="c", inputs=("stem",), output="middle", kernel=(3, 3), stride=(1, 1), padding=(1, 1),
            weights=_weights(rng, (3, 3, inner), inner, 9),
        ),
        Convolution(
            name="d", inputs=("middle",), output="feature", **one,  # type: ignore[arg-type]
            weights=_weights(rng, (outputs, 1, 1, inner), outputs, inner),
        ),
    ]  # fmt: skip
    cut = draw(st.integers(1, outputs - 1))
    pooled = draw(st.sampled_from(["slice", "whole", "none"]))
    local = cut if pooled == "slice" else outputs
    last = tensors[-1]
    if pooled == "slice":
        tensors.append(Tensor("part", (height, width, cut), last.scale, last.zero_point))
        ops.append(Slice(name="slice", inputs=("feature",), output="part", begin=0, end=cut))
    if pooled != "none":
        tensors.append(Tensor("out", (1, 1, local), last.scale, last.zero_point))
        ops.append(
            AveragePool(
                name="mean", inputs=(ops[-1].output,), output="out", kernel=(height, width),
                stride=(height, width), padding=(0, 0),
            )
        )  # fmt: skip
    logits = None if pooled == "none" else "out"
    graph = Graph({t.name: t for t in tensors}, tuple(ops), "in", logits, "feature")
    return graph, (cut, outputs)
