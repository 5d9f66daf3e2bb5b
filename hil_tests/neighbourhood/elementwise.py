"""Pools, sums, pads, slices and clamps as generated code on the twin."""

from __future__ import annotations

from hil.deploy.graph import Add, AveragePool, Clamp, Graph, MaxPool, Op, Pad, Slice, Tensor
from hil.deploy.requantise import quantise_multiplier, single_rounding
from hil.neighbourhood.parameter import Choice, Parameters, Whole
from hil.neighbourhood.template import Template, Where
from hil_tests.neighbourhood import layers as la
from hil_tests.neighbourhood.convolutions import ORACLE
from hil_tests.neighbourhood.on_twin import Case, asking, plainly

SOURCES = (*la.SOURCES, "hil_tests/neighbourhood/convolutions.py")


def _pool(parameters: Parameters) -> Case:
    random, form = la.random_of(parameters), la.geometry(parameters)
    channels, zero = la.whole(parameters, "channels"), la.whole(parameters, "zero_in")
    kind = AveragePool if parameters["kind"] == "average" else MaxPool
    op = kind(name="pool", inputs=("in",), output="out", **form.window, activation=la.clamp(parameters, zero))
    graph = la.graph_of(op, (*form.source, channels), (*form.output, channels), (zero, zero))
    return plainly(graph, la.inputs(random, (*form.source, channels), parameters))


def _pool_fits(parameters: Parameters) -> bool:
    """Frameworks pad by half a kernel at most."""
    return la.fits(parameters) and all(
        2 * la.whole(parameters, f"padding_{side}") <= la.whole(parameters, f"kernel_{side}")
        for side in ("height", "width")
    )


ADD_SHIFT = 20


def addition(parameters: Parameters) -> Graph:
    """in + clamp(in), whose scales differ, or in + in."""
    shape = la.whole(parameters, "height"), la.whole(parameters, "width"), la.whole(parameters, "channels")
    zeros = la.zeros(parameters)
    make = single_rounding if parameters["rounding"] == "single" else quantise_multiplier
    scales = {"equal": (0.5, 0.5), "first": (0.5, 0.2), "second": (0.013, 0.5), "far": (0.5, 2.0**-14)}
    fixed = [make(scale) for scale in scales[str(parameters["scales"])]]
    gains = {"even": 1.0, "small": 0.11, "large": 3.7, "huge": 40.0, "tiny": 2.0**-9}
    output = quantise_multiplier(2 * gains[str(parameters["gain"])] / (1 << ADD_SHIFT))
    twice = parameters["operands"] == "one"
    op = Add(
        name="add",
        inputs=("in", "in") if twice else ("in", "other"),
        output="out",
        left_shift=ADD_SHIFT,
        multipliers=(fixed[0][0], fixed[1][0]),
        shifts=(fixed[0][1], fixed[1][1]),
        output_multiplier=output[0],
        output_shift=output[1],
        activation=la.clamp(parameters, zeros[1]),
    )
    tensors = {"in": Tensor("in", shape, 0.02, zeros[0]), "out": Tensor("out", shape, 0.02, zeros[1])}
    before: tuple[Op, ...] = ()
    if not twice:
        tensors["other"] = Tensor("other", shape, 0.02, la.whole(parameters, "zero_other"))
        before = (Clamp(name="clamp", inputs=("in",), output="other", activation=(-100, 90)),)
    return Graph(tensors, (*before, op), "in", "out", None)


def _add(parameters: Parameters) -> Case:
    graph = addition(parameters)
    return plainly(graph, la.inputs(la.random_of(parameters), graph.tensor("in").shape, parameters))


def _shape(parameters: Parameters) -> Case:
    height, width, channels = (la.whole(parameters, name) for name in ("height", "width", "channels"))
    zero, kind = la.whole(parameters, "zero_in"), parameters["kind"]
    first, second = la.whole(parameters, "first"), la.whole(parameters, "second")
    output, op = (height, width, channels), None
    if kind == "pad":
        amounts = (first, second, la.whole(parameters, "third"), la.whole(parameters, "fourth"))
        output = (height + first + second, width + amounts[2] + amounts[3], channels)
        op = Pad(name="pad", inputs=("in",), output="out", amounts=amounts)
    elif kind == "slice":
        begin = min(first, channels - 1)
        end = max(begin + 1, channels - second)
        output = (height, width, end - begin)
        op = Slice(name="slice", inputs=("in",), output="out", begin=begin, end=end)
    else:
        op = Clamp(name="clamp", inputs=("in",), output="out", activation=la.clamp(parameters, zero))
    graph = la.graph_of(op, (height, width, channels), output, (zero, zero))
    return plainly(graph, la.inputs(la.random_of(parameters), (height, width, channels), parameters))


ADDITION = (
    Whole("height", 1, 8),
    Whole("width", 1, 8),
    Whole("channels", 1, 12, (2, 3, 4, 8)),
    Choice("operands", ("one", "two")),
    Choice("scales", ("equal", "first", "second", "far")),
    Choice("gain", ("even", "small", "large", "huge", "tiny")),
    Choice("rounding", ("single", "double")),
    Whole("zero_other", -128, 127, at_rest=0),
    la.CLAMP,
    *la.NUMBERS,
)

TEMPLATES = (
    Template(
        "pool",
        "Is an average or a maximum over windows on the device what the int8 graph says?",
        (
            *la.windowed(channels=20, padding=2),
            Choice("kind", ("average", "maximum")),
            la.CLAMP,
            la.ZERO_IN,
            la.INPUTS,
            la.DATA,
        ),
        asking(_pool),
        ORACLE,
        la.ROOMS,
        Where.TWIN,
        _pool_fits,
        batch=60,
        full=600,
        sample=20,
        sources=SOURCES,
    ),
    Template(
        "addition",
        "Is a sum of two maps of different scales on the device what the int8 graph says?",
        ADDITION,
        asking(_add),
        ORACLE,
        la.ROOMS,
        Where.TWIN,
        batch=60,
        full=600,
        sample=20,
        sources=SOURCES,
    ),
    Template(
        "shaping",
        "Are padding, channel slices and clamps on the device what the int8 graph says?",
        (
            Choice("kind", ("pad", "slice", "clamp")),
            Whole("height", 1, 9),
            Whole("width", 1, 9),
            Whole("channels", 1, 16, (2, 3, 4, 8)),
            *(Whole(name, 0, 5) for name in ("first", "second", "third", "fourth")),
            la.CLAMP,
            la.ZERO_IN,
            la.INPUTS,
            la.DATA,
        ),
        asking(_shape),
        ORACLE,
        la.ROOMS,
        Where.TWIN,
        batch=60,
        full=480,
        sample=20,
        sources=SOURCES,
    ),
)
