"""From float layers to int8: an int8 layer is its own weights' real layer, within a step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hil.deploy.calibrate import Range
from hil.deploy.float_graph import FloatGraph, FloatOp, Kind, evaluate
from hil.deploy.graph import Add, Clamp, Convolution, Dense, DepthwiseConvolution, Graph, Op, Tensor
from hil.deploy.interpret import interpret
from hil.deploy.quantise import quantise
from hil.neighbourhood.parameter import Choice, Data, Parameters, Whole
from hil.neighbourhood.template import Template, each
from hil_tests.neighbourhood.layers import random_of, whole

SOURCES = ("hil_tests/neighbourhood/layers.py",)
SAMPLES = 4
WEIGHTED = ("convolution", "depthwise", "dense")


def _float_graph(parameters: Parameters, random: np.random.Generator) -> FloatGraph:
    """One op, or a sum of the input and its slice of all channels."""
    import torch

    kind: Kind = str(parameters["kind"])  # type: ignore[assignment]
    height, width, inputs = (whole(parameters, name) for name in ("height", "width", "channels"))
    outputs = whole(parameters, "outputs")
    clamp = {"none": None, "relu": (0.0, np.inf), "relu6": (0.0, 6.0), "negative": (-3.0, -1.0)}[
        str(parameters["clamp"])
    ]
    shapes = {"in": (height, width, inputs)}
    op = FloatOp(kind, kind, ("in",), "out", clamp=clamp)
    if kind == "add":
        shapes |= {"other": (height, width, inputs), "out": (height, width, inputs)}
        first = FloatOp("clamp", "first", ("in",), "other", clamp=(-0.5, 0.5))
        return FloatGraph((first, replace(op, inputs=("in", "other"))), shapes, "in", ("out",))
    shape = {
        "convolution": (outputs, inputs, 3, 3),
        "depthwise": (inputs, 1, 3, 3),
        "dense": (outputs, height * width * inputs),
    }
    weight = random.normal(0, 1, shape[kind]) * _gains(parameters, random, shape[kind])
    bias = (
        random.normal(0, 1, len(weight)) * {"some": 1.0, "none": 0.0, "large": 30.0}[str(parameters["bias"])]
    )
    op = replace(
        op, weight=torch.tensor(weight, dtype=torch.float32), bias=torch.tensor(bias, dtype=torch.float32)
    )
    shapes["out"] = (1, 1, outputs) if kind == "dense" else (height, width, len(weight))
    if kind != "dense":
        op = replace(op, kernel=(3, 3), padding=(1, 1))
    return FloatGraph((op,), shapes, "in", ("out",))


def _gains(
    parameters: Parameters, random: np.random.Generator, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """What each channel's weights are multiplied by."""
    spread = parameters["weights"]
    ones = np.ones((shape[0], *[1] * (len(shape) - 1)))
    if spread == "even":
        return ones
    gains = {
        "spread": 10.0 ** random.uniform(-3, 1, shape[0]),
        "one small": np.where(np.arange(shape[0]) == 0, 1e-4, 1.0),
        "one vanishing": np.where(np.arange(shape[0]) == 0, 1e-12, 1.0),
        "one dead": np.where(np.arange(shape[0]) == 0, 0.0, 1.0),
        "tiny": np.full(shape[0], 1e-5),
        "large": np.full(shape[0], 1e3),
    }[str(spread)]
    return ones * gains.reshape(ones.shape)


def _asked(parameters: Parameters) -> str:
    import torch

    random = random_of(parameters)
    captured = _float_graph(parameters, random)
    low, high = {"both": (-1.0, 1.0), "positive": (0.0, 2.0), "negative": (-2.0, 0.0), "skewed": (-0.1, 5.0)}[
        str(parameters["range"])
    ]
    gain = 10.0 ** whole(parameters, "magnitude")
    seen = random.uniform(low * gain, high * gain, (64, *captured.shapes["in"]))
    values = evaluate(captured, torch.tensor(seen, dtype=torch.float32).permute(0, 3, 1, 2))
    ranges: dict[str, Range] = {
        name: (min(0.0, float(v.min())), max(0.0, float(v.max()))) for name, v in values.items()
    }
    graph = quantise(captured, ranges, "out", None)
    inputs = graph.tensor("in").quantise(seen[:SAMPLES].astype(np.float32))
    return _compared(captured, graph, inputs, parameters)


def _compared(captured: FloatGraph, graph: Graph, inputs: NDArray[np.int8], parameters: Parameters) -> str:
    """Int8 outputs beside those of the float layer on the very inputs, its weights rounded as they were."""
    import torch

    source, output = graph.tensor("in"), graph.tensor("out")
    real = source.scale * (inputs.astype(np.float64) - source.zero_point)
    rounded = tuple(_rounded(op, made, source) for op, made in zip(captured.ops, graph.ops, strict=True))
    want = evaluate(replace(captured, ops=rounded), torch.tensor(real).permute(0, 3, 1, 2).double())["out"]
    expected = want.permute(0, 2, 3, 1).numpy() / output.scale + output.zero_point
    got = interpret(graph, inputs)["out"].astype(np.float64)
    apart = np.abs(got - np.clip(expected, -128, 127))
    steps = _steps(graph.ops[-1])
    if (apart <= steps).all():
        return ""
    at = tuple(int(i) for i in np.unravel_index(apart.argmax(), apart.shape))
    where = f"at {at}, and so in {(apart > steps).sum()} of {apart.size}"
    return f"int8 gives {got[at]:.0f} where the layer is {expected[at]:.2f} steps, {where}"


def _steps(op: Op) -> NDArray[np.float64]:
    """What rounding explains, in steps of the output: two halves, and half a unit of the sum."""
    if isinstance(op, Add):
        return np.array(2.5)
    assert isinstance(op, Convolution | DepthwiseConvolution | Dense)
    unit = op.weights.multiplier * 2.0 ** (op.weights.shift - 31.0)
    return 1.1 + 0.5 * unit


def _rounded(op: FloatOp, made: Op, source: Tensor) -> FloatOp:
    """In float64: weights at the steps of their channel or tensor, clamps at those of their tensor."""
    if isinstance(made, Clamp):
        low, high = (source.scale * (bound - source.zero_point) for bound in made.activation)
        return replace(op, clamp=(low, high))
    if op.weight is None or op.bias is None:
        return op
    weight = op.weight.double()
    largest = (
        weight.abs().flatten(1).amax(1) if op.kind != "dense" else weight.abs().max().expand(len(weight))
    )
    step = (largest / 127).reshape(-1, *[1] * (weight.ndim - 1))
    stepped = (weight / step.clamp_min(1e-300)).round() * step
    return replace(op, weight=stepped, bias=op.bias.double())


TEMPLATES = (
    Template(
        "quantising",
        "Is an int8 layer, in real numbers, the float layer that it was made of?",
        (
            Choice("kind", ("convolution", "depthwise", "dense", "add")),
            Whole("height", 1, 6),
            Whole("width", 1, 6),
            Whole("channels", 1, 8),
            Whole("outputs", 1, 8),
            Choice("weights", ("even", "spread", "one small", "one vanishing", "one dead", "tiny", "large")),
            Choice("bias", ("some", "none", "large")),
            Choice("range", ("both", "positive", "negative", "skewed")),
            Whole("magnitude", -3, 3, at_rest=0),
            Choice("clamp", ("none", "relu", "relu6", "negative")),
            Data(),
        ),
        each(_asked),
        "the float layer with weights at their steps, within a step of the output",
        ("deploy",),
        batch=100,
        full=800,
        sample=40,
        sources=SOURCES,
    ),
)
