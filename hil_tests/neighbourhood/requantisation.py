"""The rounding of sums to int8, as the Cortex-M7 executes it, against exact rational arithmetic."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from math import floor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hil.deploy.requantise import requantise
from hil.neighbourhood.parameter import Choice, Data, Parameters, Whole
from hil.neighbourhood.template import Template, Where, each
from hil.twin.image import Image
from hil.twin.twin import Twin
from hil_tests.neighbourhood.image import build
from hil_tests.neighbourhood.layers import random_of, whole

COUNT = 64
SOURCE = """
#include "arm_nnsupportfunctions.h"
#include "hil_requantise.h"
int32_t ask_in[64], ask_out[64];
int ask_both(int32_t multiplier, int32_t shift);
int ask_both(int32_t multiplier, int32_t shift)
{
    for (int i = 0; i < 64; i++) {
        ask_out[i] = arm_nn_requantize(ask_in[i], multiplier, shift);
    }
    return 0;
}
int ask_once(int32_t doubled, int32_t zero, int32_t saturated);
int ask_once(int32_t doubled, int32_t zero, int32_t saturated)
{
    for (int i = 0; i < 64; i++) {
        const int32_t value = hil_requantise(ask_in[i], doubled, zero);
        ask_out[i] = saturated != 0 ? hil_saturate_s8(value) : value;
    }
    return 0;
}
"""
MULTIPLIERS = {"half": 1 << 30, "most": (1 << 31) - 1, "half+1": (1 << 30) + 1, "one": 1, "least": 1 << 15}


@cache
def _twin() -> Twin:
    with tempfile.TemporaryDirectory() as folder:
        return Twin(Image.load(build([], Path(folder), SOURCE)))


def exact(value: int, multiplier: int, shift: int) -> int:
    """The two roundings as fractions: half up, then half away from zero. A left shift wraps at 32 bits."""
    wrapped = (value << max(shift, 0)) + (1 << 31) & 0xFFFF_FFFF
    high = floor(Fraction((wrapped - (1 << 31)) * multiplier, 1 << 31) + Fraction(1, 2))
    rest = Fraction(abs(high), 1 << max(-shift, 0))
    return floor(rest + Fraction(1, 2)) * (1 if high >= 0 else -1)


def _sums(parameters: Parameters, multiplier: int, shift: int) -> NDArray[np.int32]:
    random, kind = random_of(parameters), parameters["sums"]
    ends = np.array([-(2**31), -(2**31) + 1, -1, 0, 1, 2**31 - 2, 2**31 - 1, -(2**30), 2**30], np.int64)
    if kind == "ends":
        return random.choice(ends, COUNT).astype(np.int32)
    if kind == "halves":
        # Sums whose exact result lies at a half, or one beside it.
        wanted = random.integers(-130, 130, COUNT)
        near = [
            floor((2 * w + 1) * Fraction(1 << 31, 2 * multiplier) * Fraction(2) ** -shift)
            for w in wanted.tolist()
        ]
        near = [
            max(-(2**31), min(2**31 - 1, n + d))
            for n, d in zip(near, random.integers(-1, 2, COUNT).tolist(), strict=True)
        ]
        return np.array(near, np.int64).astype(np.int32)
    reach = 1 << (12 if kind == "small" else 31)
    return random.integers(-reach, reach, COUNT).astype(np.int32)


def _multiplier(parameters: Parameters, least: int, most: int) -> int:
    named = MULTIPLIERS.get(str(parameters["multiplier"]))
    drawn = int(random_of(parameters).integers(least, most))
    return drawn if named is None else min(named, most - 1)


def _asked(name: str, sums: NDArray[np.int32], *arguments: int) -> list[int]:
    twin = _twin()
    twin.write(twin.symbol("ask_in"), sums.tobytes())
    twin.call(name, *(argument & 0xFFFF_FFFF for argument in arguments))
    return np.frombuffer(twin.read(twin.symbol("ask_out"), 4 * COUNT), np.int32).tolist()


def _parted(what: str, got: Sequence[int], want: Sequence[int], sums: NDArray[np.int32]) -> str:
    wrong = [i for i in range(COUNT) if got[i] != want[i]]
    return f"{what} of {sums[wrong[0]]} is {got[wrong[0]]}, not {want[wrong[0]]}" if wrong else ""


def _both(parameters: Parameters) -> str:
    multiplier, shift = _multiplier(parameters, 1 << 30, 1 << 31), whole(parameters, "shift")
    sums = _sums(parameters, multiplier, shift)
    want = [exact(value, multiplier, shift) for value in sums.tolist()]
    ours = requantise(sums.astype(np.int64), multiplier, shift).tolist()
    got = _asked("ask_both", sums, multiplier, shift)
    return _parted("the interpreter's result", ours, want, sums) or _parted(
        "the device's result", got, want, sums
    )


def _once(parameters: Parameters) -> str:
    multiplier, zero = _multiplier(parameters, 1 << 15, 1 << 30), whole(parameters, "zero")
    sums = _sums(parameters, multiplier, 0)
    want = [exact(value, multiplier, 0) + zero for value in sums.tolist()]
    if parameters["saturated"] == "yes":
        want = [max(-128, min(127, value)) for value in want]
    got = _asked("ask_once", sums, 2 * multiplier, zero, parameters["saturated"] == "yes")
    return _parted("the device's result", got, want, sums)


SOURCES = tuple(f"hil_tests/neighbourhood/{name}.py" for name in ("image", "layers"))
SUMS = Choice("sums", ("small", "any", "halves", "ends"))

TEMPLATES = (
    Template(
        "requantisation",
        "Does a sum become int8 by the two roundings that TFLite defines, for every multiplier and shift?",
        (
            Choice("multiplier", ("any", "half", "half+1", "most")),
            Whole("shift", -31, 8, (-30, -16, -1, 0, 1), 0),
            SUMS,
            Data(),
        ),
        each(_both),
        "exact rational arithmetic",
        ("deploy", "mcu", "twin"),
        Where.TWIN,
        full=800,
        sample=40,
        sources=SOURCES,
    ),
    Template(
        "single-rounding",
        "Does one SMMLAR round a sum as the two roundings do where the shift is 0?",
        (
            Choice("multiplier", ("any", "half", "least", "one")),
            Whole("zero", -128, 127, at_rest=0),
            Choice("saturated", ("no", "yes")),
            SUMS,
            Data(),
        ),
        each(_once),
        "exact rational arithmetic",
        ("deploy", "mcu", "twin"),
        Where.TWIN,
        full=600,
        sample=40,
        sources=SOURCES,
    ),
)
