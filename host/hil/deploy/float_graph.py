"""The captured network before quantisation: batch norms folded, activations fused, still float.

Shapes are (height, width, channels) as in the int8 graph; weights keep torch's layout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch.nn.functional as F
from torch import Tensor

Kind = Literal["convolution", "depthwise", "dense", "average", "maximum", "add", "pad", "clamp", "slice"]


@dataclass(frozen=True)
class FloatOp:
    """One step. Fields that a kind does not use keep their defaults."""

    kind: Kind
    name: str
    inputs: tuple[str, ...]
    output: str
    weight: Tensor | None = None
    bias: Tensor | None = None
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    clamp: tuple[float, float] | None = None
    amounts: tuple[int, int, int, int] = (0, 0, 0, 0)
    """pad: (top, bottom, left, right)."""
    channels: tuple[int, int] = (0, 0)
    """slice: [begin, end)."""


@dataclass(frozen=True)
class FloatGraph:
    """Ops in execution order; `outputs` names the tensors that the module returned."""

    ops: tuple[FloatOp, ...]
    shapes: dict[str, tuple[int, int, int]]
    input: str
    outputs: tuple[str | None, ...]


def evaluate(graph: FloatGraph, inputs: Tensor) -> dict[str, Tensor]:
    """Every tensor of `graph` for a batch of inputs (N, channels, height, width), all NCHW float32."""
    values = {graph.input: inputs}
    for op in graph.ops:
        value = apply(op, [values[name] for name in op.inputs])
        values[op.output] = value if op.clamp is None else value.clamp(*op.clamp)
    return values


def apply(op: FloatOp, inputs: list[Tensor]) -> Tensor:
    """The output of `op` before its clamp."""
    x = inputs[0]
    match op.kind:
        case "convolution" | "depthwise":
            assert op.weight is not None
            groups = x.shape[1] if op.kind == "depthwise" else 1
            return F.conv2d(x, op.weight, op.bias, op.stride, op.padding, 1, groups)
        case "dense":
            assert op.weight is not None
            # The int8 graph flattens HWC, so the captured weights were permuted to match.
            flat = x.permute(0, 2, 3, 1).flatten(1)
            return F.linear(flat, op.weight, op.bias)[:, :, None, None]
        case "average":
            return F.avg_pool2d(x, op.kernel, op.stride, op.padding, count_include_pad=False)
        case "maximum":
            return F.max_pool2d(x, op.kernel, op.stride, op.padding)
        case "add":
            return x + inputs[1]
        case "pad":
            top, bottom, left, right = op.amounts
            return F.pad(x, (left, right, top, bottom))
        case "clamp":
            return x
        case "slice":
            return x[:, op.channels[0] : op.channels[1]]
