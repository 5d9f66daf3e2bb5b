"""A captured network in float whose every value is one that int8 has, differentiable straight through.

Jacob et al., CVPR 2018, on the arithmetic of `hil.deploy.quantise`: weights symmetric per output
channel (per tensor in dense layers), activations asymmetric per tensor, batch norms folded. A step of
rounding has slope 1 (Bengio et al., 2013), a saturated activation 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from hil.deploy import graph as int8
from hil.deploy.float_graph import FloatGraph, FloatOp, apply
from hil.deploy.quantise import bounds_of

_INT8 = (-128, 127)
_WEIGHT_MAX = 127


class _Nearest(torch.autograd.Function):
    """Ties to even."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return values.round()

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> Tensor:
        return slopes[0]


class _NearestAway(_Nearest):
    """Ties away from zero."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return values.sign() * (values.abs() + 0.5).floor()


def _nearest(values: Tensor) -> Tensor:
    rounded: Tensor = _Nearest.apply(values)  # type: ignore[no-untyped-call]
    return rounded


def _nearest_away(values: Tensor) -> Tensor:
    rounded: Tensor = _NearestAway.apply(values)  # type: ignore[no-untyped-call]
    return rounded


def on_grid(values: Tensor, tensor: int8.Tensor, bounds: tuple[int, int] = _INT8) -> Tensor:
    """`values`, of any shape, as `tensor` holds them, int8 clamped to `bounds`."""
    steps = _nearest_away(values / tensor.scale) + tensor.zero_point
    return (steps.clamp(*bounds) - tensor.zero_point) * tensor.scale


def weights_on_grid(weight: Tensor, *, per_channel: bool) -> tuple[Tensor, Tensor]:
    """`weight` (outputs, …) as int8 holds it, and its scales (outputs,), which no gradient reaches."""
    largest = weight.detach().abs().flatten(1).amax(1)
    if not per_channel:
        largest = largest.amax().expand_as(largest)
    scales = torch.where(largest == 0, 1.0, largest / _WEIGHT_MAX)
    shaped = scales.reshape(-1, *[1] * (weight.dim() - 1))
    return _nearest(weight / shaped).clamp(-_WEIGHT_MAX, _WEIGHT_MAX) * shaped, scales


def evaluate(graph: FloatGraph, tensors: Mapping[str, int8.Tensor], inputs: Tensor) -> dict[str, Tensor]:
    """Every tensor of `graph` for inputs (N, channels, height, width), as int8 would have them.

    `tensors` are the `activations` of `graph`. Differs from the interpreter where that rounds twice,
    by one step at most a layer.
    """
    values = {graph.input: on_grid(inputs, tensors[graph.input])}
    for op in graph.ops:
        values[op.output] = evaluate_op(op, [values[name] for name in op.inputs], tensors)
    return values


def evaluate_op(op: FloatOp, sources: list[Tensor], tensors: Mapping[str, int8.Tensor]) -> Tensor:
    """What `op` makes of `sources`, its inputs as `evaluate` has them."""
    output = tensors[op.output]
    if op.kind == "average":
        return _average(op, sources[0], output)
    if op.weight is not None:
        op = _with_int8_weights(op, op.weight, tensors[op.inputs[0]].scale)
    return on_grid(apply(op, sources), output, bounds_of(op, output))


def _average(op: FloatOp, values: Tensor, tensor: int8.Tensor) -> Tensor:
    """Ties are rounded away from the int8 zero, not from the real one: in whole numbers they are exact."""
    steps = _nearest_away(values / tensor.scale) + tensor.zero_point
    mean = _nearest_away(apply(op, [steps])).clamp(*bounds_of(op, tensor))
    return (mean - tensor.zero_point) * tensor.scale


def _with_int8_weights(op: FloatOp, weight: Tensor, source_scale: float) -> FloatOp:
    rounded, scales = weights_on_grid(weight, per_channel=op.kind != "dense")
    if op.bias is None:
        return replace(op, weight=rounded)
    step = scales * source_scale
    return replace(op, weight=rounded, bias=_nearest(op.bias / step) * step)
