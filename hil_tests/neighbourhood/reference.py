"""Int8 layers written down from TFLite's reference kernels, window by window; shares no code with hil.

Source: tensorflow/lite/kernels/internal/reference/integer_ops and common.h (gemmlowp's fixed point). Sums
wrap at 32 bits, as on the device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
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
    Window,
)

Map = NDArray[np.int8]
Wide = NDArray[np.int64]


def wrapped(values: Any) -> Wide:
    return np.asarray(values, np.int64).astype(np.int32).astype(np.int64)


def doubling_high(a: Wide, b: Wide) -> Wide:
    """SaturatingRoundingDoublingHighMul; C's division cuts towards zero."""
    product = a * b
    nudged = product + np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    return np.sign(nudged) * (np.abs(nudged) >> 31)


def divide_by_power(value: Wide, exponent: Wide) -> Wide:
    """RoundingDivideByPOT."""
    mask = (np.int64(1) << exponent) - 1
    threshold = (mask >> 1) + (value < 0)
    return (value >> exponent) + ((value & mask) > threshold)


def multiply(value: Wide, multiplier: Any, shift: Any) -> Wide:
    """MultiplyByQuantizedMultiplier of 32-bit values."""
    shift, multiplier = np.asarray(shift, np.int64), np.asarray(multiplier, np.int64)
    left, right = np.maximum(shift, 0), np.maximum(-shift, 0)
    return divide_by_power(doubling_high(wrapped(value * (np.int64(1) << left)), multiplier), right)


def outputs(graph: Graph, inputs: Map) -> Map:
    """What the last op gives for a batch (N, height, width, channels)."""
    values = {graph.input: inputs}
    for op in graph.ops:
        values[op.output] = _RULES[type(op)](graph, op, [values[name] for name in op.inputs])
    return values[graph.ops[-1].output]


def _taps(graph: Graph, op: Window) -> Iterator[tuple[int, int, list[tuple[int, int, int, int]]]]:
    """Every output pixel with its taps that lie on the map: row, column, kernel row, kernel column."""
    height, width, _ = graph.tensor(op.inputs[0]).shape
    out_h, out_w, _ = graph.tensor(op.output).shape
    for y, x in np.ndindex(out_h, out_w):
        top, left = y * op.stride[0] - op.padding[0], x * op.stride[1] - op.padding[1]
        yield (
            y,
            x,
            [
                (top + i, left + j, i, j)
                for i, j in np.ndindex(*op.kernel)
                if 0 <= top + i < height and 0 <= left + j < width
            ],
        )


def _narrow(values: Wide, zero_point: int, activation: tuple[int, int]) -> Map:
    return np.minimum(np.maximum(values + zero_point, activation[0]), activation[1]).astype(np.int8)


def _empty(graph: Graph, op: Op, inputs: list[Map]) -> Map:
    return np.zeros((len(inputs[0]), *graph.tensor(op.output).shape), np.int8)


def _convolution(graph: Graph, op: Convolution | DepthwiseConvolution, inputs: list[Map]) -> Map:
    centred = inputs[0].astype(np.int64) - graph.tensor(op.inputs[0]).zero_point
    weights, zero = op.weights, graph.tensor(op.output).zero_point
    kernel = weights.values.astype(np.int64)
    made = _empty(graph, op, inputs)
    for y, x, taps in _taps(graph, op):
        sums = np.tile(weights.bias.astype(np.int64), (len(made), 1))
        for row, column, i, j in taps:
            pixel = centred[:, row, column]
            if isinstance(op, DepthwiseConvolution):
                sums = sums + np.repeat(pixel, op.channel_multiplier, axis=1) * kernel[i, j]
            else:
                sums = sums + pixel @ kernel[:, i, j].T
        made[:, y, x] = _narrow(
            multiply(wrapped(sums), weights.multiplier, weights.shift), zero, op.activation
        )
    return made


def _dense(graph: Graph, op: Dense, inputs: list[Map]) -> Map:
    source, output, weights = graph.tensor(op.inputs[0]), graph.tensor(op.output), op.weights
    centred = inputs[0].reshape(len(inputs[0]), -1).astype(np.int64) - source.zero_point
    sums = wrapped(centred @ weights.values.astype(np.int64).T + weights.bias)
    scaled = multiply(sums, weights.multiplier, weights.shift)
    return _narrow(scaled, output.zero_point, op.activation).reshape(-1, *output.shape)


def _average(graph: Graph, op: AveragePool, inputs: list[Map]) -> Map:
    made = _empty(graph, op, inputs)
    for y, x, taps in _taps(graph, op):
        sums = sum(inputs[0][:, row, column].astype(np.int64) for row, column, _, _ in taps)
        half = len(taps) // 2
        # C's division cuts towards zero.
        mean = np.where(sums > 0, (sums + half) // len(taps), -((half - sums) // len(taps)))
        made[:, y, x] = _narrow(mean, 0, op.activation)
    return made


def _maximum(graph: Graph, op: MaxPool, inputs: list[Map]) -> Map:
    made = _empty(graph, op, inputs)
    for y, x, taps in _taps(graph, op):
        largest = np.max([inputs[0][:, row, column] for row, column, _, _ in taps], axis=0)
        made[:, y, x] = _narrow(largest.astype(np.int64), 0, op.activation)
    return made


def _add(graph: Graph, op: Add, inputs: list[Map]) -> Map:
    total = np.zeros(inputs[0].shape, np.int64)
    for name, values, multiplier, shift in zip(op.inputs, inputs, op.multipliers, op.shifts, strict=True):
        centred = values.astype(np.int64) - graph.tensor(name).zero_point
        total = total + multiply(centred * (1 << op.left_shift), multiplier, shift)
    scaled = multiply(wrapped(total), op.output_multiplier, op.output_shift)
    return _narrow(scaled, graph.tensor(op.output).zero_point, op.activation)


def _pad(graph: Graph, op: Pad, inputs: list[Map]) -> Map:
    top, _, left, _ = op.amounts
    made = np.full(
        (len(inputs[0]), *graph.tensor(op.output).shape), graph.tensor(op.output).zero_point, np.int8
    )
    height, width = inputs[0].shape[1:3]
    made[:, top : top + height, left : left + width] = inputs[0]
    return made


def _clamp(graph: Graph, op: Clamp, inputs: list[Map]) -> Map:
    return _narrow(inputs[0].astype(np.int64), 0, op.activation)


def _slice(graph: Graph, op: Slice, inputs: list[Map]) -> Map:
    return inputs[0][..., list(range(op.begin, op.end))]


_RULES: dict[type[Op], Callable[..., Map]] = {
    Convolution: _convolution,
    DepthwiseConvolution: _convolution,
    Dense: _dense,
    AveragePool: _average,
    MaxPool: _maximum,
    Add: _add,
    Pad: _pad,
    Clamp: _clamp,
    Slice: _slice,
}
