"""The NumPy interpreter of the int8 graph: bit-exact with the device, and so the oracle for every board.

Sums of products are computed in float64, where they are exact below 2^53, because NumPy's integer
matrix product does not use BLAS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
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
    Window,
)
from hil.deploy.requantise import requantise

Map = NDArray[np.int8]
"""A batch of maps: (N, height, width, channels)."""


def interpret(graph: Graph, inputs: Map) -> dict[str, Map]:
    """Every tensor of `graph` for a batch of int8 inputs (N, height, width, channels)."""
    expected = graph.tensor(graph.input).shape
    if inputs.dtype != np.int8 or inputs.shape[1:] != expected:
        raise ValueError(f"input is {inputs.dtype}{inputs.shape}, the graph takes int8 (N, *{expected})")
    values: dict[str, Map] = {graph.input: inputs}
    for op in graph.ops:
        values[op.output] = _RULES[type(op)](graph, op, [values[name] for name in op.inputs])
    return values


def _windows(values: NDArray[Any], op: Window, output: Tensor, fill: float) -> NDArray[Any]:
    """All windows of a padded batch: (N, out_h, out_w, channels, kernel_h, kernel_w)."""
    (kernel_h, kernel_w), (stride_h, stride_w), (top, left) = op.kernel, op.stride, op.padding
    out_h, out_w, _ = output.shape
    bottom = max(0, (out_h - 1) * stride_h + kernel_h - top - values.shape[1])
    right = max(0, (out_w - 1) * stride_w + kernel_w - left - values.shape[2])
    padded = np.pad(values, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=fill)
    windows = sliding_window_view(padded, (kernel_h, kernel_w), axis=(1, 2))
    return windows[:, ::stride_h, ::stride_w][:, :out_h, :out_w]


def _saturate(values: NDArray[Any], zero_point: int, activation: tuple[int, int]) -> Map:
    clamped: Map = np.clip(values.astype(np.int64) + zero_point, *activation).astype(np.int8)
    return clamped


def _finish(sums: NDArray[np.float64], weights: Weights, output: Tensor, activation: tuple[int, int]) -> Map:
    accumulator = sums.astype(np.int64) + weights.bias
    scaled = requantise(accumulator, weights.multiplier.astype(np.int64), weights.shift.astype(np.int64))
    return _saturate(scaled, output.zero_point, activation)


def _convolution(graph: Graph, op: Convolution, inputs: list[Map]) -> Map:
    output = graph.tensor(op.output)
    centred = inputs[0].astype(np.float64) - graph.tensor(op.inputs[0]).zero_point
    windows = _windows(centred, op, output, 0.0)
    sums = np.tensordot(windows, op.weights.values.astype(np.float64), axes=((3, 4, 5), (3, 1, 2)))
    return _finish(sums, op.weights, output, op.activation)


def _depthwise(graph: Graph, op: DepthwiseConvolution, inputs: list[Map]) -> Map:
    output = graph.tensor(op.output)
    centred = inputs[0].astype(np.float64) - graph.tensor(op.inputs[0]).zero_point
    windows = _windows(centred, op, output, 0.0)
    channels, multiplier = centred.shape[3], op.channel_multiplier
    kernel = op.weights.values.astype(np.float64).reshape(*op.kernel, channels, multiplier)
    sums = np.einsum("nyxchw,hwcm->nyxcm", windows, kernel).reshape(len(centred), *output.shape)
    return _finish(sums, op.weights, output, op.activation)


def _dense(graph: Graph, op: Dense, inputs: list[Map]) -> Map:
    output = graph.tensor(op.output)
    centred = inputs[0].astype(np.float64) - graph.tensor(op.inputs[0]).zero_point
    sums = centred.reshape(len(centred), -1) @ op.weights.values.astype(np.float64).T
    return _finish(sums.reshape(-1, 1, 1, sums.shape[1]), op.weights, output, op.activation)


def _average_pool(graph: Graph, op: AveragePool, inputs: list[Map]) -> Map:
    output = graph.tensor(op.output)
    sums = _windows(inputs[0].astype(np.int64), op, output, 0).sum(axis=(4, 5))
    ones = np.ones((1, *inputs[0].shape[1:3], 1), dtype=np.int64)
    count = _windows(ones, op, output, 0).sum(axis=(4, 5))
    magnitude = (np.abs(sums) + count // 2) // count
    return _saturate(np.sign(sums) * magnitude, 0, op.activation)


def _max_pool(graph: Graph, op: MaxPool, inputs: list[Map]) -> Map:
    windows = _windows(inputs[0], op, graph.tensor(op.output), -128)
    return _saturate(windows.max(axis=(4, 5)), 0, op.activation)


def _add(graph: Graph, op: Add, inputs: list[Map]) -> Map:
    output = graph.tensor(op.output)
    total = np.zeros(inputs[0].shape, dtype=np.int64)
    for name, value, multiplier, shift in zip(op.inputs, inputs, op.multipliers, op.shifts, strict=True):
        centred = value.astype(np.int64) - graph.tensor(name).zero_point
        total += requantise(centred << op.left_shift, multiplier, shift)
    scaled = requantise(total, op.output_multiplier, op.output_shift)
    return _saturate(scaled, output.zero_point, op.activation)


def _pad(graph: Graph, op: Pad, inputs: list[Map]) -> Map:
    top, bottom, left, right = op.amounts
    fill = graph.tensor(op.output).zero_point
    return np.pad(inputs[0], ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=fill)


def _clamp(graph: Graph, op: Clamp, inputs: list[Map]) -> Map:
    return _saturate(inputs[0], 0, op.activation)


def _slice(graph: Graph, op: Slice, inputs: list[Map]) -> Map:
    return inputs[0][..., op.begin : op.end]


_RULES: Mapping[type[Op], Callable[..., Map]] = {
    Convolution: _convolution,
    DepthwiseConvolution: _depthwise,
    Dense: _dense,
    AveragePool: _average_pool,
    MaxPool: _max_pool,
    Add: _add,
    Pad: _pad,
    Clamp: _clamp,
    Slice: _slice,
}
