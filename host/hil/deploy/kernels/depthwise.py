"""Our depthwise 3 × 3 convolution (mcu/kernels/hil_depthwise.h), stride 1 or 2."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.deploy.graph import DepthwiseConvolution, Graph, Op
from hil.deploy.kernels.rounding import doubled, folded_bias, is_single_rounding
from hil.deploy.kernels.text import array, fields
from hil.deploy.program import Code, DeviceHalf, Sends, Site

_CHANNEL_BYTES = 48
_WIDEST = 64
"""Outputs of a row, which are all unrolled: 50 bytes of code each."""
_MOST_CHANNELS = 2047
"""Of which two pixels are as far apart as an instruction can say."""


@dataclass(frozen=True)
class Depthwise:
    """One depthwise convolution without a channel multiplier."""

    name = "hil_depthwise"
    sends = Sends.NOTHING

    def covers(self, half: DeviceHalf, first: int) -> int:
        """See `Kernel`."""
        op = half.graph.ops[first]
        return int(
            isinstance(op, DepthwiseConvolution)
            and op.kernel == (3, 3)
            and op.stride in ((1, 1), (2, 2))
            and op.channel_multiplier == 1
            and is_single_rounding(op.weights)
            and half.graph.tensor(op.output).shape[1] <= _WIDEST
            and half.graph.tensor(op.output).shape[2] <= _MOST_CHANNELS
        )

    def scratch_bytes(self, half: DeviceHalf, ops: tuple[Op, ...]) -> int:
        """See `Kernel`."""
        op = ops[0]
        assert isinstance(op, DepthwiseConvolution)
        _, width, channels = half.graph.tensor(op.output).shape
        reach = (width - 1) * op.stride[1] + 3
        return channels * (_CHANNEL_BYTES + 2 * 3 * (reach + reach % 2)) + 8

    def leads(self, half: DeviceHalf, ops: tuple[Op, ...]) -> dict[tuple[str, str], int]:
        """See `Overlapping`: a row of outputs is written when all rows under it are transposed."""
        op = ops[0]
        assert isinstance(op, DepthwiseConvolution)
        (rows, in_width, _), (height, width, channels) = (
            half.graph.tensor(name).shape for name in (op.inputs[0], op.output)
        )
        free = [min(rows, y * op.stride[0] + 3 - op.padding[0]) * in_width for y in range(height)]
        lead = max((y + 1) * width - free[y] for y in range(height - 1)) if height > 1 else 0
        return {(op.output, op.inputs[0]): max(0, lead) * channels}

    def emit(self, site: Site) -> Code:
        """See `Kernel`."""
        op = site.ops[0]
        assert isinstance(op, DepthwiseConvolution)
        graph, name = site.half.graph, site.name
        words = constants(graph, op)
        body = (
            "static const hil_depthwise_t depthwise = {",
            *fields(_layer(graph, op)),
            "};",
            f"hil_depthwise(&depthwise, {site.at(op.inputs[0])}, {name}_constants,",
            f"    {site.scratch}, {site.at(op.output)});",
            "return ARM_CMSIS_NN_SUCCESS;",
        )
        before = (
            '#include "hil_depthwise.h"\n\n' + array("int32_t", f"{name}_constants", words.ravel()) + "\n"
        )
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


KERNELS = (Depthwise(),)
