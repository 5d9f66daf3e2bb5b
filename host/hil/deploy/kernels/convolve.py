"""Our convolutions (mcu/kernels/hil_convolve.h): any kernel, stride and padding, pointwise ones too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.deploy.graph import Convolution, Graph, Op
from hil.deploy.kernels.rounding import doubled, folded_bias, is_single_rounding
from hil.deploy.kernels.text import array, fields
from hil.deploy.program import Code, DeviceHalf, Sends, Site

_TAPS = 4
"""Of a quad: what one word of int8 holds."""
_LONGEST_UNROLL = 36
"""Quads; 64 bytes of code each."""
_EXPANDED = (0, 2, 1, 3)
"""The order in which SXTB16 leaves a quad."""


@dataclass(frozen=True)
class Geometry:
    """The convolution as the C kernel sees it: a pointwise one is a map of other rows."""

    source: tuple[int, int, int]
    output: tuple[int, int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]

    @property
    def column(self) -> int:
        """int16 values of a window's column."""
        values = self.kernel[0] * self.source[2]
        return values + values % 2

    @property
    def quads(self) -> int:
        """Of taps in a window."""
        return -(-self.kernel[1] * self.column // _TAPS)

    @property
    def layout(self) -> int:
        """int16 values of the layout under a row."""
        step = 1 if self.kernel[1] == 1 else self.stride[1]
        columns = self.output[1] * step + max(0, self.kernel[1] - step)
        return columns * self.column + 4

    @property
    def is_within_reach(self) -> bool:
        """Whether all distances are such that instructions can hold them."""
        distance = 2 * self.stride[1] * self.column
        return distance + 8 * _LONGEST_UNROLL < 4096 and self.quads < 256 and self.output[2] < 2048


def geometry_of(graph: Graph, op: Convolution, pixels: int) -> Geometry:
    """`op` on its maps; a pointwise one on rows of at most `pixels`, whatever the map's are."""
    source, output = graph.tensor(op.inputs[0]).shape, graph.tensor(op.output).shape
    if op.kernel != (1, 1) or op.stride != (1, 1) or source[:2] != output[:2]:
        return Geometry(source, output, op.kernel, op.stride, op.padding)
    count = output[0] * output[1]
    width = next(width for width in range(min(pixels, count), 0, -1) if count % width == 0)
    shape = count // width, width
    return Geometry((*shape, source[2]), (*shape, output[2]), (1, 1), (1, 1), (0, 0))


@dataclass(frozen=True)
class Convolve:
    """One convolution, with about `pixels` outputs a channel between two expansions of its weights."""

    pixels: int
    unroll: int
    """The most quads of taps in the unrolled loop."""
    sends = Sends.NOTHING

    @property
    def name(self) -> str:
        """See `Kernel`."""
        return f"hil_convolve, {self.pixels} pixels, {self.unroll} quads"

    def covers(self, half: DeviceHalf, first: int) -> int:
        """See `Kernel`."""
        op = half.graph.ops[first]
        if not isinstance(op, Convolution) or not is_single_rounding(op.weights):
            return 0
        return int(geometry_of(half.graph, op, self.pixels).is_within_reach)

    def scratch_bytes(self, half: DeviceHalf, ops: tuple[Op, ...]) -> int:
        """See `Kernel`."""
        op = ops[0]
        assert isinstance(op, Convolution)
        geometry = geometry_of(half.graph, op, self.pixels)
        return 2 * (self._rows(geometry) * geometry.layout + 8 * geometry.quads + 8)

    def leads(self, half: DeviceHalf, ops: tuple[Op, ...]) -> dict[tuple[str, str], int]:
        """See `Overlapping`: a band of outputs is written when the input below it is laid out."""
        op = ops[0]
        assert isinstance(op, Convolution)
        geometry = geometry_of(half.graph, op, self.pixels)
        (_, in_width, in_channels), (height, width, channels) = geometry.source, geometry.output
        leads = [0]
        for end in range(self._rows(geometry), height, self._rows(geometry)):
            free = max(0, end * geometry.stride[0] - geometry.padding[0]) * in_width * in_channels
            leads.append(end * width * channels - free)
        return {(op.output, op.inputs[0]): max(leads)}

    def emit(self, site: Site) -> Code:
        """See `Kernel`."""
        op = site.ops[0]
        assert isinstance(op, Convolution)
        graph, name = site.half.graph, site.name
        source = graph.tensor(op.inputs[0])
        geometry = geometry_of(graph, op, self.pixels)
        constants = (
            '#include "hil_convolve.h"\n\n'
            + array("int8_t", f"{name}_weights", packed(op.weights.values, geometry).ravel(), alignment=4)
            + channel_pairs(f"{name}_channels", op, source.zero_point)
            + "\n"
        )
        body = (
            "static const hil_convolution_t convolution = {",
            *fields(self._layer(graph, op, geometry)),
            "};",
            f"hil_convolve(&convolution, {site.at(op.inputs[0])}, {name}_weights, {name}_channels,",
            f"    {site.scratch}, {site.at(op.output)});",
            "return ARM_CMSIS_NN_SUCCESS;",
        )
        return Code(body, constants)

    def _layer(self, graph: Graph, op: Convolution, geometry: Geometry) -> dict[str, int]:
        source, output = graph.tensor(op.inputs[0]), graph.tensor(op.output)
        return {
            **dict(zip(("in_height", "in_width", "in_channels"), geometry.source, strict=True)),
            **dict(zip(("out_height", "out_width", "out_channels"), geometry.output, strict=True)),
            **dict(zip(("kernel_h", "kernel_w"), geometry.kernel, strict=True)),
            **dict(zip(("stride_h", "stride_w"), geometry.stride, strict=True)),
            **dict(zip(("pad_top", "pad_left"), geometry.padding, strict=True)),
            "in_zero": source.zero_point,
            "out_zero": output.zero_point,
            "low": op.activation[0],
            "high": op.activation[1],
            "rows": self._rows(geometry),
            "unroll": self._unroll(geometry),
        }

    def _rows(self, geometry: Geometry) -> int:
        return min(geometry.output[0], max(1, self.pixels // geometry.output[1]))

    def _unroll(self, geometry: Geometry) -> int:
        quads = geometry.quads
        return next(n for n in range(min(self.unroll, quads), 0, -1) if quads % n == 0)


def packed(values: NDArray[np.int8], geometry: Geometry) -> NDArray[np.int8]:
    """(out, kernel_h, kernel_w, in) as the kernel reads them: (pairs, quads, 2, 4)."""
    out, kernel_h, kernel_w, channels = values.shape
    columns = np.zeros((out + out % 2, kernel_w, geometry.column), np.int8)
    columns[:out, :, : kernel_h * channels] = values.transpose(0, 2, 1, 3).reshape(out, kernel_w, -1)
    taps = np.zeros((len(columns), geometry.quads * _TAPS), np.int8)
    taps[:, : kernel_w * geometry.column] = columns.reshape(len(columns), -1)
    quads = taps.reshape(len(columns), geometry.quads, _TAPS)
    if channels % _TAPS:  # such inputs are laid out in their own order
        quads = quads[..., _EXPANDED]
    return quads.reshape(-1, 2, geometry.quads, _TAPS).transpose(0, 2, 1, 3)


def channel_pairs(name: str, op: Convolution, zero_point: int) -> str:
    """The C array of biases and doubled multipliers, two channels an entry."""
    weights = op.weights
    sums = weights.values.reshape(len(weights.values), -1).astype(np.int64).sum(axis=1)
    bias, multiplier = folded_bias(weights, sums, zero_point), doubled(weights)
    if len(bias) % 2:
        bias, multiplier = np.append(bias, 0), np.append(multiplier, 0)
    rows = [
        f"    {{{{{bias[i]}, {bias[i + 1]}}}, {{{multiplier[i]}, {multiplier[i + 1]}}}}},\n"
        for i in range(0, len(bias), 2)
    ]
    return f"static const hil_channel_pair_t {name}[{len(rows)}] = {{\n{''.join(rows)}}};\n"


KERNELS = (*(Convolve(pixels, _LONGEST_UNROLL) for pixels in (32, 64, 128)), Convolve(64, 12))
