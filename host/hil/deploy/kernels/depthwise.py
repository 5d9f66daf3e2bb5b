"""Our depthwise 3 × 3 convolutions (mcu/kernels/hil_depthwise*.h), stride 1 or 2."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.deploy.graph import DepthwiseConvolution, Graph, Op
from hil.deploy.kernels.rounding import doubled, folded_bias, is_single_rounding
from hil.deploy.kernels.text import array, fields
from hil.deploy.program import Code, DeviceHalf, Sends, Site

_TAPS = 3
_CHANNEL_BYTES = 48
_BEHIND = 8
"""Bytes of scratch that are read and not used."""
_MOST_PAIRS = 24
"""Of outputs of a map, which are all unrolled: 80 bytes of code each."""
_WIDEST = 64
"""Outputs of a row, which are all unrolled: 40 bytes of code each."""
_MOST_CHANNELS = 2047
"""Of which two pixels are as far apart as an instruction can say."""


@dataclass(frozen=True)
class Depthwise:
    """One depthwise convolution without a channel multiplier, row by row."""

    name = "hil_depthwise"
    sends = Sends.NOTHING

    def covers(self, half: DeviceHalf, first: int) -> int:
        """See `Kernel`."""
        return int(_is_made_for(half.graph, half.graph.ops[first]))

    def scratch_bytes(self, half: DeviceHalf, ops: tuple[Op, ...]) -> int:
        """See `Kernel`."""
        op = _only(ops)
        return op.weights.bias.size * _block_bytes(half.graph, op, _TAPS) + _BEHIND

    def leads(self, half: DeviceHalf, ops: tuple[Op, ...]) -> dict[tuple[str, str], int]:
        """See `Overlapping`: a row of outputs is written when all rows under it are transposed."""
        op = _only(ops)
        (rows, in_width, _), (height, width, channels) = (
            half.graph.tensor(name).shape for name in (op.inputs[0], op.output)
        )
        free = [min(rows, y * op.stride[0] + _TAPS - op.padding[0]) * in_width for y in range(height)]
        lead = max((y + 1) * width - free[y] for y in range(height - 1)) if height > 1 else 0
        return {(op.output, op.inputs[0]): max(0, lead) * channels}

    def emit(self, site: Site) -> Code:
        """See `Kernel`."""
        return _code(site, self.name, slots=_TAPS, rows=1)


@dataclass(frozen=True)
class DepthwisePlanes:
    """The same for small maps, channel by channel, so that an output must not lie over the input."""

    name = "hil_depthwise_planes"
    sends = Sends.NOTHING

    def covers(self, half: DeviceHalf, first: int) -> int:
        """See `Kernel`."""
        op = half.graph.ops[first]
        height, width, _ = half.graph.tensor(op.output).shape
        return int(_is_made_for(half.graph, op) and height * -(-width // 2) <= _MOST_PAIRS)

    def scratch_bytes(self, half: DeviceHalf, ops: tuple[Op, ...]) -> int:
        """See `Kernel`."""
        op = _only(ops)
        lanes = 4 if op.weights.bias.size % 4 == 0 else 1
        return lanes * _block_bytes(half.graph, op, _rows_under(half.graph, op)) + _BEHIND

    def emit(self, site: Site) -> Code:
        """See `Kernel`."""
        graph, op = site.half.graph, _only(site.ops)
        rows = graph.tensor(op.output).shape[0]
        return _code(site, self.name, slots=_rows_under(graph, op), rows=rows)


def _only(ops: tuple[Op, ...]) -> DepthwiseConvolution:
    (op,) = ops
    assert isinstance(op, DepthwiseConvolution)
    return op


def _is_made_for(graph: Graph, op: Op) -> bool:
    return (
        isinstance(op, DepthwiseConvolution)
        and op.kernel == (_TAPS, _TAPS)
        and op.stride in ((1, 1), (2, 2))
        and op.channel_multiplier == 1
        and is_single_rounding(op.weights)
        and graph.tensor(op.output).shape[1] <= _WIDEST
        and graph.tensor(op.output).shape[2] <= _MOST_CHANNELS
    )


def _rows_under(graph: Graph, op: DepthwiseConvolution) -> int:
    """Rows of input, padding included, that the windows reach."""
    return (graph.tensor(op.output).shape[0] - 1) * op.stride[0] + _TAPS


def _block_bytes(graph: Graph, op: DepthwiseConvolution, slots: int) -> int:
    """Of one channel, with so many rows of input."""
    reach = (graph.tensor(op.output).shape[1] - 1) * op.stride[1] + _TAPS
    return _CHANNEL_BYTES + 2 * slots * (reach + reach % 2)


def _code(site: Site, kernel: str, *, slots: int, rows: int) -> Code:
    graph, op, name = site.half.graph, _only(site.ops), site.name
    words = constants(graph, op)
    body = (
        "static const hil_depthwise_t depthwise = {",
        *fields(_layer(graph, op) | {"slots": slots, "rows": rows}),
        "};",
        f"{kernel}(&depthwise, {site.at(op.inputs[0])}, {name}_constants,",
        f"    {site.scratch}, {site.at(op.output)});",
        "return ARM_CMSIS_NN_SUCCESS;",
    )
    before = f'#include "{kernel}.h"\n\n' + array("int32_t", f"{name}_constants", words.ravel()) + "\n"
    return Code(body, before)


def _layer(graph: Graph, op: DepthwiseConvolution) -> dict[str, int]:
    source, output = graph.tensor(op.inputs[0]), graph.tensor(op.output)
    return {
        "in_height": source.shape[0],
        "in_width": source.shape[1],
        "out_height": output.shape[0],
        "out_width": output.shape[1],
        "channels": output.shape[2],
        "stride": op.stride[0],
        "pad_top": op.padding[0],
        "pad_left": op.padding[1],
        "in_zero": source.zero_point,
        "out_zero": output.zero_point,
        "low": op.activation[0],
        "high": op.activation[1],
    }


def constants(graph: Graph, op: DepthwiseConvolution) -> NDArray[np.int32]:
    """(channels, 12): bias, doubled multiplier, and of kernel rows 0, 1, 2, 0, 1 the weights in pairs."""
    values = op.weights.values.astype(np.int64)
    zero_point = graph.tensor(op.inputs[0]).zero_point
    bias = folded_bias(op.weights, values.sum(axis=(0, 1)), zero_point)
    halves = values[[0, 1, 2, 0, 1]][:, [0, 1, 1, 2]].transpose(2, 0, 1).reshape(len(bias), -1)
    pairs = np.ascontiguousarray(halves.astype("<i2")).view("<i4")
    return np.column_stack([bias, doubled(op.weights), pairs])


KERNELS = (Depthwise(), DepthwisePlanes())
