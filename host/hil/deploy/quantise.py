"""Quantisation: FloatGraph and ranges → int8 Graph, by TFLite's int8 specification."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.deploy.calibrate import Range
from hil.deploy.float_graph import FloatGraph, FloatOp
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

ADD_LEFT_SHIFT = 20
"""Head-room bits before both inputs of an Add are rescaled, as TFLite has it for int8."""

_BIAS_MAX = 1 << 30
"""What an int32 bias may be, so that the sum has room."""
_BIAS_STEPS = 1 << 10
"""Weights so small that their bias would not fit (a batch norm may have closed the channel) do not show; the
bias is then kept to such a part of a step of the output."""

_SAME_SCALE = ("average", "maximum", "pad", "clamp", "slice")


def quantise(
    captured: FloatGraph, ranges: dict[str, Range], logits: str | None, feature: str | None
) -> Graph:
    """The int8 graph of `captured`; `logits` and `feature` name its outputs."""
    tensors = activations(captured, ranges)
    ops = tuple(
        _quantise_op(op, [tensors[name] for name in op.inputs], tensors[op.output]) for op in captured.ops
    )
    return Graph(tensors, ops, captured.input, logits, feature)


def activations(captured: FloatGraph, ranges: dict[str, Range]) -> dict[str, Tensor]:
    """Scale and zero point of every tensor; some take them from what they are computed of."""
    first = captured.input
    tensors = {first: _tensor(first, captured.shapes[first], ranges[first])}
    for op in captured.ops:
        shape = captured.shapes[op.output]
        if op.kind in _SAME_SCALE:
            source = tensors[op.inputs[0]]
            tensors[op.output] = Tensor(op.output, shape, source.scale, source.zero_point)
        else:
            tensors[op.output] = _tensor(op.output, shape, ranges[op.output])
    return tensors


def _tensor(name: str, shape: tuple[int, int, int], bounds: Range) -> Tensor:
    """Asymmetric int8 over `bounds`; zero is exactly representable."""
    low, high = bounds
    scale = (high - low) / 255.0 or 1.0
    zero_point = int(np.clip(round(-128 - low / scale), -128, 127))
    return Tensor(name, shape, scale, zero_point)


def bounds_of(op: FloatOp, output: Tensor) -> tuple[int, int]:
    """Between which int8 values the output of `op` is clamped."""
    if op.clamp is None:
        return -128, 127
    low, high = (
        int(np.clip(np.round(bound / output.scale) + output.zero_point, -128, 127)) for bound in op.clamp
    )
    return low, high


def _weights(op: FloatOp, source: Tensor, output: Tensor, *, per_channel: bool) -> Weights:
    """Symmetric int8 in ±127; output channels along the first axis of `op.weight`."""
    assert op.weight is not None
    real = op.weight.numpy()
    flat = np.abs(real.reshape(len(real), -1))
    bias = np.zeros(len(real)) if op.bias is None else op.bias.numpy().astype(np.float64)
    least = np.abs(bias) / (source.scale * _BIAS_MAX)
    if per_channel:
        by_weights = flat.max(axis=1) / 127.0
        scales = np.where(by_weights > least, by_weights, output.scale / (source.scale * _BIAS_STEPS))
    else:
        scales = np.full(len(real), max(flat.max() / 127.0, least.max()) or 1.0)
    values = np.rint(real / scales.reshape(-1, *[1] * (real.ndim - 1)))
    bias_int = np.clip(np.rint(bias / (scales * source.scale)), -(2**31), 2**31 - 1)
    fixed = [single_rounding(float(source.scale * scale / output.scale)) for scale in scales]
    return Weights(
        values=np.clip(values, -127, 127).astype(np.int8),
        bias=bias_int.astype(np.int32),
        multiplier=np.array([multiplier for multiplier, _ in fixed], dtype=np.int32),
        shift=np.array([shift for _, shift in fixed], dtype=np.int32),
    )


def _relayout(weights: Weights, values: NDArray[np.int8]) -> Weights:
    return Weights(
        values=np.ascontiguousarray(values),
        bias=weights.bias,
        multiplier=weights.multiplier,
        shift=weights.shift,
    )


def _quantise_op(op: FloatOp, sources: list[Tensor], output: Tensor) -> Op:
    common: dict[str, Any] = {"name": op.name, "inputs": op.inputs, "output": op.output}
    window: dict[str, Any] = {"kernel": op.kernel, "stride": op.stride, "padding": op.padding}
    clamp: dict[str, Any] = {"activation": bounds_of(op, output)}
    match op.kind:
        case "convolution":
            weights = _weights(op, sources[0], output, per_channel=True)
            ohwi = _relayout(weights, weights.values.transpose(0, 2, 3, 1))
            return Convolution(**common, **window, **clamp, weights=ohwi)
        case "depthwise":
            weights = _weights(op, sources[0], output, per_channel=True)
            hwo = _relayout(weights, weights.values[:, 0].transpose(1, 2, 0))
            multiplier = output.shape[2] // sources[0].shape[2]
            return DepthwiseConvolution(
                **common, **window, **clamp, weights=hwo, channel_multiplier=multiplier
            )
        case "dense":
            return Dense(**common, **clamp, weights=_weights(op, sources[0], output, per_channel=False))
        case "average":
            return AveragePool(**common, **window, **clamp)
        case "maximum":
            return MaxPool(**common, **window, **clamp)
        case "add":
            return _add(op, sources, output)
        case "pad":
            return Pad(**common, amounts=op.amounts)
        case "clamp":
            return Clamp(**common, **clamp)
        case "slice":
            return Slice(**common, begin=op.channels[0], end=op.channels[1])


def _add(op: FloatOp, sources: list[Tensor], output: Tensor) -> Add:
    """Both inputs are brought to twice the larger scale, summed, and rescaled to the output's."""
    common = 2.0 * max(source.scale for source in sources)
    inputs = [single_rounding(source.scale / common) for source in sources]
    multiplier, shift = quantise_multiplier(common / ((1 << ADD_LEFT_SHIFT) * output.scale))
    return Add(
        name=op.name,
        inputs=op.inputs,
        output=op.output,
        left_shift=ADD_LEFT_SHIFT,
        multipliers=(inputs[0][0], inputs[1][0]),
        shifts=(inputs[0][1], inputs[1][1]),
        output_multiplier=multiplier,
        output_shift=shift,
        activation=bounds_of(op, output),
    )
