"""C for one op: its constants and a function that calls the kernel."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from hil.deploy.cost import KERNELS, macs, scratch_bytes
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
    Weights,
    Window,
)
from hil.deploy.plan import Plan, scratch_name


@dataclass(frozen=True)
class _Context:
    """What a layer's C needs to know beyond the op."""

    graph: Graph
    plan: Plan
    index: int
    name: str
    """The C identifier of the layer."""

    def at(self, tensor: str) -> str:
        return f"arena_at({self.plan.offsets[tensor]})"


def identifier(index: int, op: Op) -> str:
    """A readable C name, unique by its index."""
    return f"layer{index}_" + re.sub(r"\W+", "_", op.name).strip("_").lower()


def emit_layer(graph: Graph, plan: Plan, index: int) -> str:
    """The static constants and the static function of op `index`."""
    op = graph.ops[index]
    context = _Context(graph, plan, index, identifier(index, op))
    constants, body = _RULES[type(op)](context, op)
    before = " + ".join(_dims_text(graph.tensor(name).shape) for name in op.inputs)
    work = f", {count:,} MACs" if (count := macs(graph, op)) else ""
    comment = f"/* {op.name}: {before} -> {_dims_text(graph.tensor(op.output).shape)}{work} */"
    lines = "\n".join(f"    {line}" if line else "" for line in body)
    return f"{constants}{comment}\nstatic arm_cmsis_nn_status {context.name}(void)\n{{\n{lines}\n}}\n"


def array(c_type: str, name: str, values: Iterable[int]) -> str:
    """A constant C array, sixteen values a line."""
    numbers = [str(int(value)) for value in values]
    rows = (", ".join(numbers[i : i + 16]) for i in range(0, len(numbers), 16))
    text = ",\n    ".join(rows)
    return f"static const {c_type} {name}[{len(numbers)}] = {{\n    {text},\n}};\n"


def _dims_text(shape: tuple[int, int, int]) -> str:
    return "x".join(str(extent) for extent in shape)


def _dims(name: str, n: int, h: int, w: int, c: int) -> str:
    return f"const cmsis_nn_dims {name} = {{.n = {n}, .h = {h}, .w = {w}, .c = {c}}};"


def _map_dims(name: str, shape: tuple[int, int, int]) -> str:
    return _dims(name, 1, *shape)


def _scratch(context: _Context, op: Op) -> str:
    size = scratch_bytes(context.graph, op)
    where = context.at(scratch_name(context.index)) if size else "NULL"
    return f"const cmsis_nn_context scratch = {{.buf = {where}, .size = {size}}};"


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


def _window_params(c_type: str, context: _Context, op: Any, extra: tuple[str, ...] = ()) -> list[str]:
    source, output = context.graph.tensor(op.inputs[0]), context.graph.tensor(op.output)
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


def _convolve(context: _Context, op: Any, params: list[str], kernel_dims: str) -> tuple[str, list[str]]:
    graph, name = context.graph, context.name
    output = graph.tensor(op.output)
    body = [
        _scratch(context, op),
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
        f"return {KERNELS[type(op)]}(&scratch, &params, &requantisation, &input, {context.at(op.inputs[0])},",
        f"    &filter, {name}_weights, &bias, {name}_bias, &output, {context.at(op.output)});",
    ]
    return _constants(name, op.weights, per_channel=True), body


def _convolution(context: _Context, op: Convolution) -> tuple[str, list[str]]:
    out_channels, kernel_h, kernel_w, in_channels = op.weights.values.shape
    dims = _dims("filter", out_channels, kernel_h, kernel_w, in_channels)
    return _convolve(context, op, _window_params("cmsis_nn_conv_params", context, op), dims)


def _depthwise(context: _Context, op: DepthwiseConvolution) -> tuple[str, list[str]]:
    kernel_h, kernel_w, channels = op.weights.values.shape
    extra = (f".ch_mult = {op.channel_multiplier},",)
    params = _window_params("cmsis_nn_dw_conv_params", context, op, extra)
    return _convolve(context, op, params, _dims("filter", 1, kernel_h, kernel_w, channels))


def _dense(context: _Context, op: Dense) -> tuple[str, list[str]]:
    source, output = context.graph.tensor(op.inputs[0]), context.graph.tensor(op.output)
    name = context.name
    body = [
        _scratch(context, op),
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
        f"return {KERNELS[Dense]}(&scratch, &params, &requantisation, &input, {context.at(op.inputs[0])},",
        f"    &filter, {name}_weights, &bias, {name}_bias, &output, {context.at(op.output)});",
    ]
    return _constants(name, op.weights, per_channel=False), body


def _pool(context: _Context, op: Window) -> tuple[str, list[str]]:
    source, output = context.graph.tensor(op.inputs[0]), context.graph.tensor(op.output)
    return "", [
        _scratch(context, op),
        "const cmsis_nn_pool_params params = {",
        "    " + _tile("stride", op.stride),
        "    " + _tile("padding", op.padding),
        "    " + _clamp_text(op.activation),
        "};",
        _map_dims("input", source.shape),
        _dims("window", 1, *op.kernel, 1),
        _map_dims("output", output.shape),
        "",
        f"return {KERNELS[type(op)]}(&scratch, &params, &input, {context.at(op.inputs[0])}, &window,",
        f"    &output, {context.at(op.output)});",
    ]


def _add(context: _Context, op: Add) -> tuple[str, list[str]]:
    output = context.graph.tensor(op.output)
    offsets = [-context.graph.tensor(name).zero_point for name in op.inputs]
    operands = [
        f"{offset}, {multiplier}, {shift},"
        for offset, multiplier, shift in zip(offsets, op.multipliers, op.shifts, strict=True)
    ]
    low, high = op.activation
    return "", [
        f"return {KERNELS[Add]}({context.at(op.inputs[0])}, {context.at(op.inputs[1])},",
        f"    {operands[0]} {operands[1]} {op.left_shift}, {context.at(op.output)},",
        f"    {output.zero_point}, {op.output_multiplier}, {op.output_shift},",
        f"    {low}, {high}, {output.elements});",
    ]


def _own(call: str) -> tuple[str, list[str]]:
    return "", [f"{call};", "return ARM_CMSIS_NN_SUCCESS;"]


def _pad(context: _Context, op: Pad) -> tuple[str, list[str]]:
    height, width, channels = context.graph.tensor(op.inputs[0]).shape
    amounts = ", ".join(str(amount) for amount in op.amounts)
    fill = context.graph.tensor(op.output).zero_point
    source, target = context.at(op.inputs[0]), context.at(op.output)
    return _own(f"{KERNELS[Pad]}({source}, {height}, {width}, {channels}, {amounts}, {fill}, {target})")


def _clamp(context: _Context, op: Clamp) -> tuple[str, list[str]]:
    count, (low, high) = context.graph.tensor(op.output).elements, op.activation
    source, target = context.at(op.inputs[0]), context.at(op.output)
    return _own(f"{KERNELS[Clamp]}({source}, {count}, {low}, {high}, {target})")


def _slice(context: _Context, op: Slice) -> tuple[str, list[str]]:
    height, width, channels = context.graph.tensor(op.inputs[0]).shape
    source, target = context.at(op.inputs[0]), context.at(op.output)
    return _own(f"{KERNELS[Slice]}({source}, {height * width}, {channels}, {op.begin}, {op.end}, {target})")


_RULES: dict[type[Op], Callable[..., tuple[str, list[str]]]] = {
    Convolution: _convolution,
    DepthwiseConvolution: _depthwise,
    Dense: _dense,
    AveragePool: _pool,
    MaxPool: _pool,
    Add: _add,
    Pad: _pad,
    Clamp: _clamp,
    Slice: _slice,
}
