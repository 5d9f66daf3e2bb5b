"""CMSIS-NN's kernels, one op each: what every layer can fall back on.

Scratch is as the kernels' `*_get_buffer_size` return on a core with the DSP extension.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hil.deploy.graph import (
    Add,
    AveragePool,
    Convolution,
    Dense,
    DepthwiseConvolution,
    MaxPool,
    Op,
    Weights,
    Window,
)
from hil.deploy.kernels.text import array
from hil.deploy.program import Code, DeviceHalf, Sends, Site


@dataclass(frozen=True)
class Cmsis:
    """One op by a function of CMSIS-NN."""

    op: type[Op]
    name: str
    rule: Callable[[Site, Any, str], Code]
    sends = Sends.NOTHING

    def covers(self, half: DeviceHalf, first: int) -> int:
        """See `Kernel`."""
        return int(isinstance(half.graph.ops[first], self.op))

    def scratch_bytes(self, half: DeviceHalf, ops: tuple[Op, ...]) -> int:
        """See `Kernel`."""
        return _scratch_bytes(half, ops[0])

    def leads(self, half: DeviceHalf, ops: tuple[Op, ...]) -> dict[tuple[str, str], int]:
        """See `Overlapping`: an addition reads four elements of both operands before it writes them."""
        return {(op.output, name): 0 for op in ops if isinstance(op, Add) for name in op.inputs}

    def emit(self, site: Site) -> Code:
        """See `Kernel`."""
        return self.rule(site, site.ops[0], self.name)


def _scratch_bytes(half: DeviceHalf, op: Op) -> int:
    channels = half.graph.tensor(op.inputs[0]).shape[2]
    if isinstance(op, Convolution):
        if op.kernel == (1, 1) and op.padding == (0, 0):
            return 0
        column = op.kernel[0] * op.kernel[1] * channels
        return 2 * 2 * (column + -column % 4)
    if isinstance(op, DepthwiseConvolution):
        direct = op.kernel == (3, 3) and max(op.padding) <= 1
        # arm_depthwise_conv_s8_opt clears as many rows as it pads, though its buffer has but the kernel's.
        rows = max(op.kernel[0], op.padding[0])
        return 0 if op.channel_multiplier != 1 or direct else 2 * channels * rows * op.kernel[1]
    if isinstance(op, AveragePool):
        return 4 * channels
    return 0


def _dims(name: str, n: int, h: int, w: int, c: int) -> str:
    return f"const cmsis_nn_dims {name} = {{.n = {n}, .h = {h}, .w = {w}, .c = {c}}};"


def _map_dims(name: str, shape: tuple[int, int, int]) -> str:
    return _dims(name, 1, *shape)


def _scratch(site: Site, op: Op) -> str:
    size = _scratch_bytes(site.half, op)
    return f"const cmsis_nn_context scratch = {{.buf = {site.scratch}, .size = {size}}};"


def _clamp_text(activation: tuple[int, int]) -> str:
    return f".activation = {{.min = {activation[0]}, .max = {activation[1]}}},"


def _tile(name: str, extent: tuple[int, int]) -> str:
    return f".{name} = {{.h = {extent[0]}, .w = {extent[1]}}},"


def _constants(name: str, weights: Weights, *, per_channel: bool) -> str:
    parts = [
        array("int8_t", f"{name}_weights", weights.values.ravel()),
        array("int32_t", f"{name}_bias", weights.bias),
    ]
    if per_channel:
        parts += [
            array("int32_t", f"{name}_multiplier", weights.multiplier),
            array("int32_t", f"{name}_shift", weights.shift),
        ]
    return "".join(parts) + "\n"


def _window_params(c_type: str, site: Site, op: Any, extra: tuple[str, ...] = ()) -> list[str]:
    source, output = site.half.graph.tensor(op.inputs[0]), site.half.graph.tensor(op.output)
    return [
        f"const {c_type} params = {{",
        f"    .input_offset = {-source.zero_point},",
        f"    .output_offset = {output.zero_point},",
        *(f"    {line}" for line in extra),
        "    " + _tile("stride", op.stride),
        "    " + _tile("padding", op.padding),
        "    " + _tile("dilation", (1, 1)),
        "    " + _clamp_text(op.activation),
        "};",
    ]


def _convolve(site: Site, op: Any, kernel: str, params: list[str], kernel_dims: str) -> Code:
    graph, name = site.half.graph, site.name
    output = graph.tensor(op.output)
    body = [
        _scratch(site, op),
        *params,
        "/* CMSIS-NN declares these pointers without const but only reads them. */",
        "const cmsis_nn_per_channel_quant_params requantisation = {",
        f"    .multiplier = (int32_t *){name}_multiplier,",
        f"    .shift = (int32_t *){name}_shift,",
        "};",
        _map_dims("input", graph.tensor(op.inputs[0]).shape),
        kernel_dims,
        _dims("bias", 1, 1, 1, output.shape[2]),
        _map_dims("output", output.shape),
        "",
        f"return {kernel}(&scratch, &params, &requantisation, &input, {site.at(op.inputs[0])},",
        f"    &filter, {name}_weights, &bias, {name}_bias, &output, {site.at(op.output)});",
    ]
    return Code(tuple(body), _constants(name, op.weights, per_channel=True))


def _convolution(site: Site, op: Convolution, kernel: str) -> Code:
    out_channels, kernel_h, kernel_w, in_channels = op.weights.values.shape
    dims = _dims("filter", out_channels, kernel_h, kernel_w, in_channels)
    return _convolve(site, op, kernel, _window_params("cmsis_nn_conv_params", site, op), dims)


def _depthwise(site: Site, op: DepthwiseConvolution, kernel: str) -> Code:
    kernel_h, kernel_w, channels = op.weights.values.shape
    extra = (f".ch_mult = {op.channel_multiplier},",)
    params = _window_params("cmsis_nn_dw_conv_params", site, op, extra)
    return _convolve(site, op, kernel, params, _dims("filter", 1, kernel_h, kernel_w, channels))


def _dense(site: Site, op: Dense, kernel: str) -> Code:
    source, output = site.half.graph.tensor(op.inputs[0]), site.half.graph.tensor(op.output)
    name = site.name
    body = (
        _scratch(site, op),
        "const cmsis_nn_fc_params params = {",
        f"    .input_offset = {-source.zero_point},",
        "    .filter_offset = 0,",
        f"    .output_offset = {output.zero_point},",
        "    " + _clamp_text(op.activation),
        "};",
        "const cmsis_nn_per_tensor_quant_params requantisation = {",
        f"    .multiplier = {int(op.weights.multiplier[0])}, .shift = {int(op.weights.shift[0])}}};",
        _dims("input", 1, 1, 1, source.elements),
        _dims("filter", source.elements, 1, 1, output.elements),
        _dims("bias", 1, 1, 1, output.elements),
        _dims("output", 1, 1, 1, output.elements),
        "",
        f"return {kernel}(&scratch, &params, &requantisation, &input, {site.at(op.inputs[0])},",
        f"    &filter, {name}_weights, &bias, {name}_bias, &output, {site.at(op.output)});",
    )
    return Code(body, _constants(name, op.weights, per_channel=False))


def _pool(site: Site, op: Window, kernel: str) -> Code:
    source, output = site.half.graph.tensor(op.inputs[0]), site.half.graph.tensor(op.output)
    return Code(
        (
            _scratch(site, op),
            "const cmsis_nn_pool_params params = {",
            "    " + _tile("stride", op.stride),
            "    " + _tile("padding", op.padding),
            "    " + _clamp_text(op.activation),
            "};",
            _map_dims("input", source.shape),
            _dims("window", 1, *op.kernel, 1),
            _map_dims("output", output.shape),
            "",
            f"return {kernel}(&scratch, &params, &input, {site.at(op.inputs[0])}, &window,",
            f"    &output, {site.at(op.output)});",
        )
    )


def _add(site: Site, op: Add, kernel: str) -> Code:
    graph = site.half.graph
    output = graph.tensor(op.output)
    offsets = [-graph.tensor(name).zero_point for name in op.inputs]
    operands = [
        f"{offset}, {multiplier}, {shift},"
        for offset, multiplier, shift in zip(offsets, op.multipliers, op.shifts, strict=True)
    ]
    low, high = op.activation
    return Code(
        (
            f"return {kernel}({site.at(op.inputs[0])}, {site.at(op.inputs[1])},",
            f"    {operands[0]} {operands[1]} {op.left_shift}, {site.at(op.output)},",
            f"    {output.zero_point}, {op.output_multiplier}, {op.output_shift},",
            f"    {low}, {high}, {output.elements});",
        )
    )


KERNELS = (
    Cmsis(Convolution, "arm_convolve_wrapper_s8", _convolution),
    Cmsis(DepthwiseConvolution, "arm_depthwise_conv_wrapper_s8", _depthwise),
    Cmsis(Dense, "arm_fully_connected_s8", _dense),
    Cmsis(AveragePool, "arm_avgpool_s8", _pool),
    Cmsis(MaxPool, "arm_max_pool_s8", _pool),
    Cmsis(Add, "arm_elementwise_add_s8", _add),
)
