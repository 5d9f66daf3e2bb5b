"""Where the front fits: depthwise, pointwise, depthwise 3×3, pointwise, and perhaps slice and mean."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hil.deploy.graph import AveragePool, Convolution, DepthwiseConvolution, Graph, Op, Slice, Tensor
from hil.deploy.kernels.rounding import is_single_rounding
from hil.deploy.program import DeviceHalf

CHANNELS_MAX = 6
"""Of the stem's output: more would not fit the registers, and CMSIS-NN is better there."""

OFFSET_MAX = 1 << 12
"""Bytes: the field of LDR and its kind."""

_FULL = (-128, 127)


@dataclass(frozen=True)
class Front:
    """The matched ops, and what the code has to know of the map between them."""

    stem_depthwise: DepthwiseConvolution
    stem_pointwise: Convolution
    depthwise: DepthwiseConvolution
    pointwise: Convolution
    pool: AveragePool | None
    local: tuple[int, int]
    """Channels [begin, end) of the feature map that are averaged; empty without a pool."""
    count: int
    source: Tensor
    first: Tensor
    """Between the stem's depthwise and pointwise convolution."""
    stem: Tensor
    middle: Tensor
    feature: Tensor

    @property
    def height(self) -> int:
        return self.stem.shape[0]

    @property
    def width(self) -> int:
        return self.stem.shape[1]

    @property
    def channels(self) -> int:
        """Of the stem's output."""
        return self.stem.shape[2]


def match(half: DeviceHalf, first: int) -> Front | None:
    """The front that begins at op `first`; None where anything is not as it must be."""
    graph = half.graph
    ops = graph.ops[first : first + 4]
    if len(ops) < 4 or half.coder is None or half.symbol_of is None or graph.feature != ops[3].output:
        return None
    a, b, c, d = ops
    if not (isinstance(a, DepthwiseConvolution) and isinstance(c, DepthwiseConvolution)):
        return None
    if not (isinstance(b, Convolution) and isinstance(d, Convolution)):
        return None
    if not (_stem_fits(graph, a) and _is_3x3(c) and _pointwise(b) and _pointwise(d)):
        return None
    weights = [op.weights for op in (a, b, c, d)]
    sound = all(is_single_rounding(each) and each.multiplier.all() for each in weights)
    sound = sound and all(op.activation == _FULL for op in (a, b, c, d))
    if not sound or not _chained(graph, first) or not _fits_int32(graph, (a, b, c, d)):
        return None
    if not _within_reach(graph, a, c):
        return None
    tensors = tuple(graph.tensor(name) for name in (a.inputs[0], a.output, b.output, c.output, d.output))
    if tensors[2].shape[1] % 4 or not 1 <= tensors[2].shape[2] <= CHANNELS_MAX:
        return None
    pool, local, count = _pooled(graph, first + 4, d.output)
    readers = sum(d.output in op.inputs for op in graph.ops)
    if readers != (count > 0) or d.output == graph.logits:
        return None
    return Front(a, b, c, d, pool, local, 4 + count, *tensors)


def _stem_fits(graph: Graph, op: DepthwiseConvolution) -> bool:
    """Windows inside the map, rows of whole words, and a word's bytes for every few pixels."""
    (height, width, channels), (rows, columns, _) = (
        graph.tensor(name).shape for name in (op.inputs[0], op.output)
    )
    inside = (rows - 1) * op.stride[0] + op.kernel[0] <= height
    inside = inside and (columns - 1) * op.stride[1] + op.kernel[1] <= width
    return (
        inside
        and op.padding == (0, 0)
        and op.channel_multiplier == 1
        and channels <= 4
        and width * channels % 4 == 0
    )


def _within_reach(graph: Graph, stem: DepthwiseConvolution, middle: DepthwiseConvolution) -> bool:
    """Whether the offsets of loads and stores fit their instructions."""
    _, width, channels = graph.tensor(stem.inputs[0]).shape
    _, columns, inner = graph.tensor(middle.inputs[0]).shape
    window = stem.kernel[0] * width * channels + 8 * stem.stride[1] * channels
    return max(window, 2 * 3 * inner * (columns + 10)) < OFFSET_MAX


def _is_3x3(op: DepthwiseConvolution) -> bool:
    same = op.kernel == (3, 3) and op.stride == (1, 1) and op.padding == (1, 1)
    return same and op.channel_multiplier == 1


def _pointwise(op: Convolution) -> bool:
    return op.kernel == (1, 1) and op.stride == (1, 1) and op.padding == (0, 0)


def _chained(graph: Graph, first: int) -> bool:
    """Each of the four feeds the next, and nothing else reads what lies between them."""
    ops = graph.ops[first : first + 4]
    outputs = {graph.logits}
    return all(
        after.inputs == (before.output,)
        and before.output not in outputs
        and sum(before.output in op.inputs for op in graph.ops) == 1
        for before, after in pairwise(ops)
    )


def _fits_int32(graph: Graph, ops: tuple[DepthwiseConvolution | Convolution, ...]) -> bool:
    return all(reach(graph.tensor(op.inputs[0]), op).max() < 1 << 30 for op in ops)


def reach(source: Tensor, op: DepthwiseConvolution | Convolution) -> NDArray[np.int64]:
    """(channels,) bound of |accumulator|, zero points folded into the bias or not."""
    values = np.abs(op.weights.values.astype(np.int64))
    axes = (0, 1) if isinstance(op, DepthwiseConvolution) else (1, 2, 3)
    products: NDArray[np.int64] = (128 + abs(source.zero_point)) * values.sum(axis=axes)
    return np.abs(op.weights.bias.astype(np.int64)) + products


def _pooled(graph: Graph, at: int, feature: str) -> tuple[AveragePool | None, tuple[int, int], int]:
    """The mean over all pixels, behind a slice or not: op, channels, ops that it takes."""
    ops: tuple[Op, ...] = graph.ops[at : at + 2]
    begin, end, taken, name = 0, graph.tensor(feature).shape[2], 0, feature
    if ops and isinstance(ops[0], Slice) and ops[0].inputs == (feature,):
        begin, end, taken, name = ops[0].begin, ops[0].end, 1, ops[0].output
        if name == graph.logits or sum(name in op.inputs for op in graph.ops) != 1:
            return None, (0, 0), 0
    if taken >= len(ops):
        return None, (0, 0), 0
    pool = ops[taken]
    if isinstance(pool, AveragePool) and pool.inputs == (name,) and _is_mean(graph, pool):
        return pool, (begin, end), taken + 1
    return None, (0, 0), 0


def _is_mean(graph: Graph, op: AveragePool) -> bool:
    """Over all pixels, into one."""
    (height, width, _), (rows, columns, _) = (graph.tensor(name).shape for name in (op.inputs[0], op.output))
    whole = op.kernel == (height, width) and op.padding == (0, 0) and (rows, columns) == (1, 1)
    return whole and op.activation == _FULL
