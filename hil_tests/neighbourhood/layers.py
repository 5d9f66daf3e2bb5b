"""What the questions about layers share: parameters, and the numbers that they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.deploy.graph import Graph, Op, Tensor, Weights
from hil.deploy.requantise import quantise_multiplier, single_rounding
from hil.neighbourhood.parameter import Choice, Data, Parameter, Parameters, Whole
from hil_tests.neighbourhood import on_twin

SOURCES = (*on_twin.SOURCES, "hil_tests/neighbourhood/layers.py")
ROOMS = on_twin.ROOMS

KINDS = ("any", "ends", "least", "most", "zero")
"""Of int8 values: all, the ends of the range, -128 alone, 127 alone, nothing."""

DATA = Data()
INPUTS = Choice("inputs", KINDS)
WEIGHTS = Choice("weights", KINDS)
BIAS = Choice("bias", ("any", "zero", "ends"))
ZERO_IN = Whole("zero_in", -128, 127, at_rest=0)
ZERO_OUT = Whole("zero_out", -128, 127, at_rest=0)
CLAMP = Choice("clamp", ("none", "relu", "relu6", "narrow", "low", "high"))
RATIO = Choice("ratio", ("single", "double", "small", "tiny", "large", "mixed"))
"""Of the scales: multipliers with shift 0; normalised with a shift; below 2^-16; near 2^-31; above 1; any."""

NUMBERS: tuple[Parameter, ...] = (ZERO_IN, ZERO_OUT, INPUTS, DATA)
WEIGHTED: tuple[Parameter, ...] = (*NUMBERS, WEIGHTS, BIAS, RATIO, CLAMP)


def windowed(
    extent: int = 10, channels: int = 9, kernel: int = 5, stride: int = 3, padding: int = 3
) -> tuple[Parameter, ...]:
    """A map, a window on it, and padding on both sides, as capture takes it."""
    return (
        Whole("channels", 1, channels, (2, 3, 4, 8)),
        *(
            parameter
            for side in ("height", "width")
            for parameter in (
                Whole(side, 1, extent),
                Whole(f"kernel_{side}", 1, kernel, (3,)),
                Whole(f"stride_{side}", 1, stride),
                Whole(f"padding_{side}", 0, padding),
            )
        ),
    )


@dataclass(frozen=True)
class Geometry:
    """The map, the window, and what comes out."""

    source: tuple[int, int]
    output: tuple[int, int]
    window: dict[str, tuple[int, int]]


def whole(parameters: Parameters, name: str) -> int:
    value = parameters[name]
    assert isinstance(value, int)
    return value


def random_of(parameters: Parameters) -> np.random.Generator:
    return np.random.default_rng(whole(parameters, "data"))


def extents(parameters: Parameters) -> tuple[int, int]:
    """Of the output; below 1 where the window does not fit."""
    found = []
    for side in ("height", "width"):
        room = whole(parameters, side) + 2 * whole(parameters, f"padding_{side}")
        room -= whole(parameters, f"kernel_{side}")
        found.append(room // whole(parameters, f"stride_{side}") + 1 if room >= 0 else 0)
    return found[0], found[1]


def fits(parameters: Parameters) -> bool:
    """Whether there is an output."""
    return min(extents(parameters)) >= 1


def geometry(parameters: Parameters) -> Geometry:
    def pair(kind: str) -> tuple[int, int]:
        return whole(parameters, f"{kind}_height"), whole(parameters, f"{kind}_width")

    window = {kind: pair(kind) for kind in ("kernel", "stride", "padding")}
    return Geometry((whole(parameters, "height"), whole(parameters, "width")), extents(parameters), window)


def numbers(
    random: np.random.Generator, shape: tuple[int, ...], kind: Any, low: int = -128
) -> NDArray[np.int8]:
    """Values of a kind; `low` is what the smallest is."""
    if kind == "ends":
        return random.choice(np.array([low, 127], np.int8), shape)
    constant = {"least": low, "most": 127, "zero": 0}.get(str(kind))
    if constant is not None:
        return np.full(shape, constant, np.int8)
    return random.integers(low, 128, shape, dtype=np.int8)


def inputs(random: np.random.Generator, shape: tuple[int, ...], parameters: Parameters) -> NDArray[np.int8]:
    """Two samples: of the kind that was asked for, and any."""
    return np.stack([numbers(random, shape, parameters["inputs"]), numbers(random, shape, "any")])


def clamp(parameters: Parameters, zero: int) -> tuple[int, int]:
    """Where the output is clamped: as ReLU and ReLU6 are, or anywhere."""
    return {
        "none": (-128, 127),
        "relu": (zero, 127),
        "relu6": (zero, min(127, zero + 50)),
        "narrow": (min(zero, 126), min(zero, 126) + 1),
        "low": (-128, -127),
        "high": (126, 127),
    }[str(parameters["clamp"])]


def ratios(
    random: np.random.Generator, channels: int, taps: int, parameters: Parameters
) -> list[tuple[int, int]]:
    """Multiplier and shift of every channel."""
    # Around 1 / (127 · sqrt(taps)) outputs stay inside int8, so that rounding shows.
    near = random.uniform(0.2, 3.0, channels) / (127.0 * np.sqrt(taps))
    kind = str(parameters["ratio"])
    reals = {
        "small": near * 2.0**-12,
        "tiny": random.uniform(0.5, 4.0, channels) * 2.0**-31,
        "large": random.uniform(0.5, 40.0, channels),
        "mixed": near * 2.0 ** random.integers(-20, 9, channels),
    }.get(kind, near)
    make = single_rounding if kind == "single" else quantise_multiplier
    return [make(float(real)) for real in reals]


def weights(
    random: np.random.Generator,
    shape: tuple[int, ...],
    channels: int,
    parameters: Parameters,
    *,
    one: bool = False,
) -> Weights:
    """Weights of `shape` for `channels` outputs, all of one ratio where a layer has but `one`."""
    values = numbers(random, shape, parameters["weights"], low=-127)
    fixed = ratios(random, channels, values.size // channels, parameters)
    fixed = [fixed[0]] * channels if one else fixed
    bias = random.integers(-5000, 5000, channels, dtype=np.int32)
    if parameters["bias"] == "ends":
        bias = random.choice(np.array([-(2**31), -(2**30), 2**30, 2**31 - 1], np.int32), channels)
    return Weights(
        values=values,
        bias=np.zeros(channels, np.int32) if parameters["bias"] == "zero" else bias,
        multiplier=np.array([multiplier for multiplier, _ in fixed], np.int32),
        shift=np.array([shift for _, shift in fixed], np.int32),
    )


def graph_of(
    op: Op, source: tuple[int, int, int], output: tuple[int, int, int], zeros: tuple[int, int]
) -> Graph:
    """A graph of one op from `in` to `out`."""
    tensors = {"in": Tensor("in", source, 0.02, zeros[0]), "out": Tensor("out", output, 0.02, zeros[1])}
    return Graph(tensors, (op,), "in", "out", None)


def zeros(parameters: Parameters) -> tuple[int, int]:
    return whole(parameters, "zero_in"), whole(parameters, "zero_out")
