"""The NumPy interpreter of the int8 graph: bit-exact with the device, and so the oracle for every board.

Sums of products are computed in floating point, because NumPy's integer matrix product does not use
BLAS: in float32 where no sum of a layer can reach 2^24, in float64 (exact below 2^53) elsewhere.
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
Reals = NDArray[np.float32] | NDArray[np.float64]
"""Whole numbers, held in floating point."""

_EXACT_FLOAT32 = 1 << 24
_BLOCK = 1 << 14
"""Values that are requantised at once: their temporaries stay in the processor's cache."""


def interpret(graph: Graph, inputs: Map) -> dict[str, Map]:
    """Every tensor of `graph` for a batch of int8 inputs (N, height, width, channels)."""
    expected = graph.tensor(graph.input).shape
    if inputs.dtype != np.int8 or inputs.shape[1:] != expected:
        raise ValueError(f"input is {inputs.dtype}{inputs.shape}, the graph takes int8 (N, *{expected})")
    values: dict[str, Map] = {graph.input: inputs}
    for op in graph.ops:
        values[op.output] = _RULES[type(op)](graph, op, [values[name] for name in op.inputs])
    return values


def _padded(values: NDArray[Any], op: Window, output: Tensor, fill: float) -> NDArray[Any]:
    """A batch with all the rows and columns that the windows of `op` touch."""
    (kernel_h, kernel_w), (stride_h, stride_w), (top, left) = op.kernel, op.stride, op.padding
    count, height, width, channels = values.shape
    rows = max((output.shape[0] - 1) * stride_h + kernel_h, top + height)
    columns = max((output.shape[1] - 1) * stride_w + kernel_w, left + width)
    if (rows, columns) == (height, width):
        return values
    padded = np.full((count, rows, columns, channels), fill, values.dtype)
    padded[:, top : top + height, left : left + width] = values
    return padded


def _windows(values: NDArray[Any], op: Window, output: Tensor, fill: float) -> NDArray[Any]:
    """All windows of a padded batch: (N, out_h, out_w, channels, kernel_h, kernel_w)."""
    (stride_h, stride_w), (out_h, out_w, _) = op.stride, output.shape
    windows = sliding_window_view(_padded(values, op, output, fill), op.kernel, axis=(1, 2))
    return windows[:, ::stride_h, ::stride_w][:, :out_h, :out_w]


def _saturate(values: NDArray[Any], zero_point: int, activation: tuple[int, int]) -> Map:
    shifted = values + zero_point if zero_point else values
    clamped: Map = np.clip(shifted, *activation).astype(np.int8)
    return clamped


def _centred(values: Map, tensor: Tensor, kernels: NDArray[np.int8]) -> Reals:
    """`values` less their zero point; `kernels` is (outputs, taps).

    Of a type in which all sums of products, and all parts of them, are exact.
    """
    largest = max(127 - tensor.zero_point, 128 + tensor.zero_point)
    reach = largest * int(np.abs(kernels.astype(np.int64)).sum(axis=1).max())
    kind = np.float32 if reach <= _EXACT_FLOAT32 else np.float64
    return np.subtract(values, kind(tensor.zero_point), dtype=kind)


def _finish(sums: Reals, weights: Weights, output: Tensor, activation: tuple[int, int]) -> Map:
    """Bias, requantisation, zero point and clamp of `sums`, whose last axis is the output's channels."""
    width = output.shape[1]
    # Row by row of the map: the inner loops are longer than over channels alone.
    rows = sums.reshape(-1, width * output.shape[2])
    bias, multiplier, shift = (
        np.tile(part.astype(np.int64), width) for part in (weights.bias, weights.multiplier, weights.shift)
    )
    finished = np.empty(rows.shape, np.int8)
    step = max(1, _BLOCK // rows.shape[1])
    for start in range(0, len(rows), step):
        accumulator = rows[start : start + step].astype(np.int64)
        accumulator += bias
        scaled = requantise(accumulator, multiplier, shift)
        finished[start : start + step] = _saturate(scaled, output.zero_point, activation)
    return finished.reshape(-1, *output.shape)


def _convolution(graph: Graph, op: Convolution, inputs: list[Map]) -> Map:
    source, output = graph.tensor(op.inputs[0]), graph.tensor(op.output)
    out_h, out_w, out_c = output.shape
    kernels = op.weights.values.reshape(out_c, -1)
    padded = _padded(_centred(inputs[0], source, kernels), op, output, 0.0)
    sums = _columns(padded, op, (out_h, out_w)) @ kernels.T.astype(padded.dtype)
    return _finish(sums.reshape(-1, *output.shape), op.weights, output, op.activation)


def _columns(padded: Reals, op: Window, size: tuple[int, int]) -> Reals:
    """One row a window: (N · out_h · out_w, kernel_h · kernel_w · channels)."""
    (kernel_h, kernel_w), (stride_h, stride_w) = op.kernel, op.stride
    count, rows, columns, channels = padded.shape
    # A window's pixels of one row lie side by side.
    flat = padded.reshape(count, rows, columns * channels)
    windows = sliding_window_view(flat, (kernel_h, kernel_w * channels), axis=(1, 2))
    chosen = windows[:, ::stride_h, :: stride_w * channels][:, : size[0], : size[1]]
    return np.ascontiguousarray(chosen).reshape(-1, kernel_h * kernel_w * channels)


def _depthwise(graph: Graph, op: DepthwiseConvolution, inputs: list[Map]) -> Map:
    source, output = graph.tensor(op.inputs[0]), graph.tensor(op.output)
    kernels = op.weights.values.reshape(-1, output.shape[2])
    padded = _padded(_centred(inputs[0], source, kernels.T), op, output, 0.0)
    if op.channel_multiplier > 1:
        padded = padded.repeat(op.channel_multiplier, axis=3)
    sums = _tap_by_tap(padded, kernels.reshape(*op.kernel, -1).astype(padded.dtype), op.stride, output)
    return _finish(sums, op.weights, output, op.activation)


def _tap_by_tap(padded: Reals, kernel: Reals, stride: tuple[int, int], output: Tensor) -> Reals:
    """Each channel of `padded` (N, rows, columns, channels) under its own `kernel` (h, w, channels)."""
    out_h, out_w, channels = output.shape
    count = len(padded)
    # A row of outputs needs a row of inputs: with the strides taken out, those lie side by side.
    phases = {
        (y, x): np.ascontiguousarray(padded[:, y :: stride[0], x :: stride[1]])
        for y in range(min(stride[0], len(kernel)))
        for x in range(min(stride[1], kernel.shape[1]))
    }
    flat = {at: phase.reshape(count, phase.shape[1], -1) for at, phase in phases.items()}
    sums = np.zeros((count, out_h, out_w * channels), padded.dtype)
    product = np.empty_like(sums)
    for y, x in np.ndindex(kernel.shape[:2]):
        (row, y_phase), (column, x_phase) = divmod(y, stride[0]), divmod(x, stride[1])
        begin = column * channels
        part = flat[y_phase, x_phase][:, row : row + out_h, begin : begin + out_w * channels]
        sums += np.multiply(part, np.tile(kernel[y, x], out_w), out=product)
    return sums.reshape(count, *output.shape)


def _dense(graph: Graph, op: Dense, inputs: list[Map]) -> Map:
    output = graph.tensor(op.output)
    kernels = op.weights.values
    centred = _centred(inputs[0], graph.tensor(op.inputs[0]), kernels).reshape(len(inputs[0]), -1)
    sums = centred @ kernels.T.astype(centred.dtype)
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
