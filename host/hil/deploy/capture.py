"""Capture: torch.export → FloatGraph, with batch norms folded and activations fused on the way."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import Node

from hil.deploy.float_graph import FloatGraph, FloatOp, Kind
from hil.errors import CaptureError

SUPPORTED = (
    "conv2d (plain, depthwise, pointwise; no dilation), linear, batch_norm, relu, relu6, hardtanh, clamp, "
    "max_pool2d, avg_pool2d, mean over the map, adaptive_avg_pool2d(1), add, pad, channel slices, flatten"
)
Pair = tuple[int, int]

_NO_OPS = ("dropout", "contiguous", "clone", "detach", "alias", "lift_fresh_copy", "identity")
_FLATTENS = ("flatten", "view", "reshape", "squeeze")
_BOUNDS = {"relu": (0.0, math.inf), "relu6": (0.0, 6.0)}


def capture(module: nn.Module, input_shape: tuple[int, int, int]) -> FloatGraph:
    """Captures `module`, which takes (1, channels, height, width); `input_shape` is (h, w, c).

    Raises CaptureError on an operator or an argument that the int8 graph cannot express.
    """
    program = trace(module, input_shape)
    return fold(program, {name: value.detach().double() for name, value in program.state_dict.items()})


def trace(module: nn.Module, input_shape: tuple[int, int, int]) -> torch.export.ExportedProgram:
    """What `module`, on the CPU, does in evaluation mode. Raises CaptureError."""
    height, width, channels = input_shape
    example = torch.zeros(1, channels, height, width)
    try:
        with torch.no_grad():
            return torch.export.export(module.eval(), (example,))
    except Exception as error:
        raise CaptureError(f"torch.export cannot capture the device half: {error}") from error


def fold(program: torch.export.ExportedProgram, state: Mapping[str, Tensor]) -> FloatGraph:
    """`program` with the weights of `state`, through which the graph's can be differentiated.

    Raises CaptureError on an operator or an argument that the int8 graph cannot express.
    """
    return _Capture(program, state).graph()


def _pair(value: Any) -> Pair:
    first, second = (value, value) if isinstance(value, int) else (value * 2)[:2]
    return int(first), int(second)


class _Capture:
    """Walks the exported nodes in order; `aliases` maps every node to the tensor it became."""

    def __init__(self, program: torch.export.ExportedProgram, state: Mapping[str, Tensor]) -> None:
        signature = program.graph_signature
        self.owners = dict(signature.inputs_to_parameters) | dict(signature.inputs_to_buffers)
        self.state = state
        self.nodes = list(program.graph.nodes)
        self.ops: dict[str, FloatOp] = {}
        self.aliases: dict[str, str] = {}
        self.shapes: dict[str, tuple[int, int, int]] = {}
        self.input = ""

    def graph(self) -> FloatGraph:
        outputs: tuple[str | None, ...] = ()
        for node in self.nodes:
            if node.op == "placeholder":
                self._placeholder(node)
            elif node.op == "call_function":
                self._call(node)
            elif node.op == "output":
                outputs = tuple(arg and self.aliases[arg.name] for arg in self._argument(node, 0))
        return FloatGraph(tuple(self.ops.values()), self.shapes, self.input, outputs)

    def _placeholder(self, node: Node) -> None:
        if node.name not in self.owners:
            self.input = self.aliases[node.name] = node.name
            self._note_shape(node.name, node)

    def _call(self, node: Node) -> None:
        name = str(node.target).split(".")[1]
        if name in _NO_OPS:
            self.aliases[node.name] = self._source(node)
        elif name in _FLATTENS:
            self._flatten(node)
        elif name in _BOUNDS or name in ("hardtanh", "clamp"):
            self._activation(node, name)
        elif (rule := getattr(self, f"_rule_{name}", None)) is not None:
            rule(node)
        else:
            raise CaptureError(f"operator {node.target} (node {node.name})", f"supported: {SUPPORTED}")

    # Helpers

    def _source(self, node: Node, position: int = 0) -> str:
        arg = node.args[position]
        if not isinstance(arg, Node) or arg.name not in self.aliases:
            raise CaptureError(f"{node.name} takes a constant where an activation is needed")
        return self.aliases[arg.name]

    def _constant(self, node: Node, position: int) -> Tensor | None:
        arg = node.args[position] if len(node.args) > position else None
        return self.state[self.owners[arg.name]] if isinstance(arg, Node) else None

    def _argument(self, node: Node, position: int, default: Any = None) -> Any:
        return node.args[position] if len(node.args) > position else default

    def _note_shape(self, name: str, node: Node) -> None:
        extents = [int(extent) for extent in node.meta["val"].shape] + [1, 1]
        self.shapes[name] = (extents[2], extents[3], extents[1])

    def _put(self, node: Node, op: FloatOp) -> None:
        self.ops[op.output] = op
        self.aliases[node.name] = op.output
        self._note_shape(op.output, node)

    def _layer_name(self, node: Node) -> str:
        return str(self.owners[self._argument(node, 1).name]).removesuffix(".weight")

    def _producer(self, node: Node, kinds: tuple[str, ...]) -> FloatOp | None:
        """The op before `node` when it is of `kinds`, feeds nothing else and has no clamp yet."""
        argument = node.args[0]
        op = self.ops.get(self._source(node))
        alone = isinstance(argument, Node) and len(argument.users) == 1
        return op if op is not None and op.kind in kinds and op.clamp is None and alone else None

    # Operators

    def _rule_conv2d(self, node: Node) -> None:
        weight = self._constant(node, 1)
        assert weight is not None
        padding, dilation = self._argument(node, 4, 0), _pair(self._argument(node, 5, 1))
        if isinstance(padding, str) or dilation != (1, 1):
            raise CaptureError(
                f"{node.name}: dilation {dilation}, padding {padding!r}", "use numbers, no dilation"
            )
        groups, source = self._argument(node, 6, 1), self._source(node)
        channels = self.shapes[source][2]
        single = channels == 1 and weight.shape[0] == 1 and weight[0, 0].numel() > 1
        depthwise = groups == channels and (groups > 1 or single)
        if groups != 1 and not depthwise:
            raise CaptureError(f"{node.name} has {groups} groups", "only plain and depthwise convolutions")
        self._put(
            node,
            FloatOp(
                kind="depthwise" if depthwise else "convolution",
                name=self._layer_name(node),
                inputs=(source,),
                output=node.name,
                weight=weight,
                bias=self._constant(node, 2),
                kernel=(weight.shape[2], weight.shape[3]),
                stride=_pair(self._argument(node, 3, 1)),
                padding=_pair(padding),
            ),
        )

    def _rule_linear(self, node: Node) -> None:
        weight, source = self._constant(node, 1), self._source(node)
        assert weight is not None
        height, width, channels = self.shapes[source]
        # torch flattens CHW, the device HWC.
        chw = weight.reshape(-1, channels, height, width)
        self._put(
            node,
            FloatOp(
                kind="dense",
                name=self._layer_name(node),
                inputs=(source,),
                output=node.name,
                weight=chw.permute(0, 2, 3, 1).flatten(1),
                bias=self._constant(node, 2),
            ),
        )

    def _rule_batch_norm(self, node: Node) -> None:
        op = self._producer(node, ("convolution", "depthwise", "dense"))
        if op is None or op.weight is None:
            raise CaptureError(f"{node.name} does not follow a convolution or dense layer", "fold it by hand")
        gamma, beta, mean, variance = (self._constant(node, position) for position in range(1, 5))
        assert mean is not None
        assert variance is not None
        epsilon = self._argument(node, 7, 1e-5)
        gain = (1.0 if gamma is None else gamma) / torch.sqrt(variance + epsilon)
        weight = op.weight * gain.reshape(-1, *[1] * (op.weight.dim() - 1))
        old_bias = 0.0 if op.bias is None else op.bias
        bias = (old_bias - mean) * gain + (0.0 if beta is None else beta)
        self._fuse(node, replace(op, weight=weight, bias=bias))

    def _fuse(self, node: Node, op: FloatOp) -> None:
        self.aliases[node.name] = op.output
        self.ops[op.output] = op

    def _activation(self, node: Node, name: str) -> None:
        low, high = _BOUNDS.get(name) or self._limits(node, name)
        if not low <= 0.0 <= high:
            raise CaptureError(f"{node.name} clamps to [{low}, {high}]", "the range must hold 0")
        op = self._producer(node, ("convolution", "depthwise", "dense", "average", "maximum", "add"))
        if op is not None:
            self._fuse(node, replace(op, clamp=(low, high)))
        else:
            source = self._source(node)
            self._put(node, FloatOp("clamp", node.name, (source,), node.name, clamp=(low, high)))

    def _limits(self, node: Node, name: str) -> tuple[float, float]:
        default = (-1.0, 1.0) if name == "hardtanh" else (-math.inf, math.inf)
        low, high = self._argument(node, 1, default[0]), self._argument(node, 2, default[1])
        return (-math.inf if low is None else float(low)), (math.inf if high is None else float(high))

    def _pool(self, node: Node, kind: Kind, kernel: Pair, stride: Pair, padding: Pair) -> None:
        op = FloatOp(kind, node.name, (self._source(node),), node.name)
        self._put(node, replace(op, kernel=kernel, stride=stride, padding=padding))

    def _rule_max_pool2d(self, node: Node) -> None:
        kernel = _pair(self._argument(node, 1))
        if _pair(self._argument(node, 4, 1)) != (1, 1) or self._argument(node, 5, False):
            raise CaptureError(f"{node.name} uses dilation or ceil_mode")
        stride, padding = self._argument(node, 2) or kernel, self._argument(node, 3, 0)
        self._pool(node, "maximum", kernel, _pair(stride), _pair(padding))

    def _rule_avg_pool2d(self, node: Node) -> None:
        kernel, padding = _pair(self._argument(node, 1)), _pair(self._argument(node, 3, 0))
        if self._argument(node, 4, False) or (padding != (0, 0) and self._argument(node, 5, True)):
            raise CaptureError(
                f"{node.name} uses ceil_mode or counts the padding", "set count_include_pad=False"
            )
        self._pool(node, "average", kernel, _pair(self._argument(node, 2) or kernel), padding)

    def _rule_mean(self, node: Node) -> None:
        axes = self._argument(node, 1)
        if {axis % 4 for axis in axes} != {2, 3}:
            raise CaptureError(f"{node.name} averages over axes {axes}", "only over the whole map")
        self._global_average(node)

    def _rule_adaptive_avg_pool2d(self, node: Node) -> None:
        if _pair(self._argument(node, 1)) != (1, 1):
            raise CaptureError(f"{node.name} pools to {node.args[1]}", "only to 1×1")
        self._global_average(node)

    def _global_average(self, node: Node) -> None:
        height, width, _ = self.shapes[self._source(node)]
        self._pool(node, "average", (height, width), (height, width), (0, 0))

    def _rule_add(self, node: Node) -> None:
        sources = self._source(node, 0), self._source(node, 1)
        if self.shapes[sources[0]] != self.shapes[sources[1]]:
            raise CaptureError(f"{node.name} adds {self.shapes[sources[0]]} and {self.shapes[sources[1]]}")
        if node.kwargs.get("alpha", 1) != 1:
            raise CaptureError(f"{node.name} scales its second operand")
        self._put(node, FloatOp("add", node.name, sources, node.name))

    _rule_add_ = _rule_add

    def _rule_pad(self, node: Node) -> None:
        amounts = [int(amount) for amount in self._argument(node, 1)]
        mode, value = self._argument(node, 2, "constant"), self._argument(node, 3) or 0.0
        if mode != "constant" or value or len(amounts) != 4 or min(amounts) < 0:
            given = f"pads by {amounts} ({mode} {value})"
            raise CaptureError(f"{node.name} {given}", "pad height and width with zeros")
        left, right, top, bottom = amounts
        op = FloatOp("pad", node.name, (self._source(node),), node.name, amounts=(top, bottom, left, right))
        self._put(node, op)

    def _rule_constant_pad_nd(self, node: Node) -> None:
        node.args = (node.args[0], node.args[1], "constant", self._argument(node, 2, 0.0))
        self._rule_pad(node)

    def _rule_slice(self, node: Node) -> None:
        source, axis, step = self._source(node), self._argument(node, 1, 0), self._argument(node, 4, 1)
        begin, end = self._argument(node, 2, 0) or 0, self._argument(node, 3, None)
        height, width, channels = self.shapes[source]
        length = (1, channels, height, width)[axis]
        end = length if end is None else min(end if end >= 0 else end + length, length)
        if (begin, end) == (0, length) and step == 1:
            self.aliases[node.name] = source
        elif axis == 1 and step == 1 and 0 <= begin < end:
            self._put(node, FloatOp("slice", node.name, (source,), node.name, channels=(begin, end)))
        else:
            raise CaptureError(f"{node.name} slices axis {axis} with step {step}", "only channels, step 1")

    def _flatten(self, node: Node) -> None:
        source = self._source(node)
        height, width, channels = self.shapes[source]
        if tuple(int(d) for d in node.meta["val"].shape[:2]) not in (
            (1, height * width * channels),
            (1, channels),
        ):
            raise CaptureError(f"{node.name} reshapes to {tuple(node.meta['val'].shape)}", "only flatten")
        self.aliases[node.name] = source
