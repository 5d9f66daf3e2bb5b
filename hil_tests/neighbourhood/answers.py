"""Fusion, exit rule, quantiser: what the device makes of logits and features, at ties and extremes."""

from __future__ import annotations

import math
import struct
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from hil.bundle import PayloadFormat
from hil.codec.order import ORDERS, to_runs
from hil.deploy.exit import exits, make_exit
from hil.deploy.fuse import PRODUCT_MAX, fuse, fuse_all, make_fusion, symbol_table
from hil.deploy.graph import Tensor
from hil.neighbourhood.parameter import Choice, Data, Parameters, Whole
from hil.neighbourhood.template import Template, each
from hil_tests.neighbourhood.firmware import HARNESS, ask
from hil_tests.neighbourhood.layers import random_of, whole

ROOMS = ("deploy", "codec", "mcu")
SOURCES = (*HARNESS, "hil_tests/neighbourhood/layers.py")
SCALES = Choice("scale", ("1/10", "1/1000", "1/50", "1", "5"))
KINDS = ("any", "equal", "tie", "ends", "least", "most")


def logits_of(
    random: np.random.Generator, kind: object, classes: int, low: int, high: int
) -> NDArray[np.int64]:
    """Logits of a kind between `low` and `high`; `tie`: two classes share the best."""
    if kind == "ends":
        return random.choice([low, high], classes).astype(np.int64)
    constant = {"equal": (low + high) // 2, "least": low, "most": high}.get(str(kind))
    if constant is not None:
        return np.full(classes, constant, np.int64)
    drawn = random.integers(low, high + 1, classes)
    if kind == "tie":
        drawn[random.choice(classes, min(2, classes), replace=False)] = drawn.max()
    return drawn


def _fusion(parameters: Parameters) -> str:
    random, classes = random_of(parameters), whole(parameters, "classes")
    alpha, scale = whole(parameters, "alpha") / 100, float(Fraction(str(parameters["scale"])))
    zero = whole(parameters, "zero")
    has_local = parameters["local"] != "none"
    tensor = Tensor("logits", (1, 1, classes), scale, zero) if has_local else None
    fusion = make_fusion(alpha, tensor)
    local = logits_of(random, parameters["local"], classes, -128, 127)
    remote = logits_of(random, parameters["remote"], classes, -32768, 32767)
    near = [fusion.local_multiplier * (value - zero) if has_local else 0 for value in local.tolist()]
    far = [fusion.remote_multiplier * value for value in remote.tolist()]
    want = [a + b for a, b in zip(near, far, strict=True)]
    if max(map(abs, (*near, *far))) > PRODUCT_MAX + (1 << 22):
        return f"a product of {max(map(abs, (*near, *far)))} leaves no room for the sum"
    best = max(range(classes), key=lambda i: (want[i], -i))
    head = struct.pack(
        "<3iII",
        fusion.local_multiplier,
        fusion.local_zero_point,
        fusion.remote_multiplier,
        has_local,
        classes,
    )
    answer = ask("F", head + remote.astype(np.int32).tobytes() + local.astype(np.int8).tobytes())
    if np.frombuffer(answer[8:], np.int32).tolist() != want:
        return "the device's fused logits are not the sums"
    if struct.unpack_from("<I", answer)[0] != best:
        return f"the device answers class {struct.unpack_from('<I', answer)[0]}, not {best}"
    hosts = fuse(fusion, local.tolist() if has_local else (), remote.tolist())
    many = fuse_all(fusion, local[None].astype(np.int8) if has_local else None, remote[None].astype(np.int16))
    if list(hosts) != want or many[0].tolist() != want:
        return "the host's fused logits are not the sums"
    return _weighs(alpha, scale, zero, local if has_local else None, remote, want)


def _weighs(
    alpha: float,
    scale: float,
    zero: int,
    local: NDArray[np.int64] | None,
    remote: NDArray[np.int64],
    fused: list[int],
) -> str:
    """The fused logits order classes as α-weighted real ones do, unless those are nearly equal."""
    real = remote / 256
    share = np.zeros(len(remote)) if local is None else scale * (local - zero)
    weighted = real if local is None else alpha * share + (1 - alpha) * real
    chosen = int(np.argmax(fused))
    # One step of the larger multiplier of 2^29 over all of its range.
    near = 2 * max(alpha * scale * 255, (1 - alpha) * 128) * 2.0**-12
    lost = float(weighted.max() - weighted[chosen])
    return (
        "" if lost <= near else f"the answer loses {lost:.4f} of weighted logits, more than rounding explains"
    )


def _exit(parameters: Parameters) -> str:
    random, classes = random_of(parameters), whole(parameters, "classes")
    scale = float(Fraction(str(parameters["scale"])))
    confidence = whole(parameters, "confidence") / 1000
    logits = logits_of(random, parameters["logits"], classes, -128, 127)
    rule = make_exit(confidence, Tensor("logits", (1, 1, classes), scale, 0))
    head = struct.pack("<II", 1, rule.limit)
    said = (
        struct.unpack("<I", ask("X", head + rule.exponentials.tobytes() + logits.astype(np.int8).tobytes()))[
            0
        ]
        == 1
    )
    if said != exits(rule, logits.astype(np.int8)):
        return f"the device says {said}, the host {not said}"
    top = 1 / math.fsum(math.exp((value - int(logits.max())) * scale) for value in logits.tolist())
    if abs(top - confidence) > 1e-5 * classes and said != (top >= confidence):
        return f"with a top softmax of {top:.6f} and a threshold of {confidence} it says {said}"
    return ""


def _quantise(parameters: Parameters) -> str:
    random = random_of(parameters)
    height, width, channels = (whole(parameters, name) for name in ("height", "width", "channels"))
    begin = min(whole(parameters, "begin"), channels - 1)
    sent = min(whole(parameters, "sent"), channels - begin)
    scale, zero = float(Fraction(str(parameters["scale"]))), whole(parameters, "zero")
    tensor = Tensor("feature", (height, width, channels), scale, zero)
    centroids = _centroids(parameters, random, scale, zero)
    table = symbol_table(tensor, centroids)
    feature = random.integers(-128, 128, (height * width, channels), dtype=np.int8)
    form = PayloadFormat(begin, sent, height, width, centroids, order=str(parameters["order"]))
    head = struct.pack("<6I", height * width, channels, begin, sent, ORDERS[form.order], width)
    got = np.frombuffer(ask("Q", head + table.tobytes() + feature.tobytes()), np.uint8)
    return _nearest(
        got, to_runs(feature[:, begin : begin + sent].T, form).reshape(-1), centroids, scale, zero
    )


def _nearest(
    got: NDArray[np.uint8], values: NDArray[np.int8], centroids: tuple[float, ...], scale: float, zero: int
) -> str:
    """Whether each symbol is that of the nearest centroid. Two that are as near, but for how float64 rounds
    scale and centroids, may each be taken: device and host share the table that says which."""
    real = np.longdouble(scale) * (np.arange(-128, 128) - zero)
    distance = np.abs(real[:, None] - np.array(centroids, np.longdouble))
    nearest, allowed = distance.min(axis=1), 1e-14 * np.abs(real).max()
    chosen = distance[values.astype(np.int64) + 128, got]
    wrong = np.flatnonzero(chosen > nearest[values.astype(np.int64) + 128] + allowed)
    if not len(wrong):
        return ""
    at = int(wrong[0])
    return f"value {values[at]} becomes symbol {got[at]}, not {distance[int(values[at]) + 128].argmin()}"


def _centroids(
    parameters: Parameters, random: np.random.Generator, scale: float, zero: int
) -> tuple[float, ...]:
    count, kind = whole(parameters, "centroids"), parameters["spread"]
    low, high = scale * (-128 - zero), scale * (127 - zero)
    if kind == "even":
        return tuple(np.linspace(low, high, count).tolist())
    if kind == "steps":  # every centroid on a value, so that ties are in between
        return tuple(scale * (value - zero) for value in range(-128, -128 + 2 * min(count, 120), 2))
    reach = 0.01 if kind == "close" else 2.0
    return tuple(np.sort(random.uniform(low * reach, high * reach, count)).tolist())


CLASSES = Whole("classes", 1, 255, (2, 3, 10, 100))

TEMPLATES = (
    Template(
        "fusion",
        "Is the fused answer the α-weighted one, at ties and at the ends of the range?",
        (
            CLASSES,
            Whole("alpha", 0, 100, (50,)),
            SCALES,
            Whole("zero", -128, 127, at_rest=0),
            Choice("local", (*KINDS, "none")),
            Choice("remote", KINDS),
            Data(),
        ),
        each(_fusion),
        "Python's integers, and the weighted real logits",
        ROOMS,
        full=600,
        sample=40,
        sources=SOURCES,
    ),
    Template(
        "exit",
        "Does the device stay alone exactly where the top softmax reaches the threshold?",
        (CLASSES, Whole("confidence", 1, 1000, (500, 900, 999)), SCALES, Choice("logits", KINDS), Data()),
        each(_exit),
        "the softmax in float64, and the host's rule",
        ROOMS,
        full=600,
        sample=40,
        sources=SOURCES,
    ),
    Template(
        "quantiser",
        "Is every symbol that of the nearest centroid, in the payload's order?",
        (
            Whole("height", 1, 8),
            Whole("width", 1, 9),
            Whole("channels", 1, 12),
            Whole("begin", 0, 11),
            Whole("sent", 1, 12),
            Whole("centroids", 1, 256, (2, 16, 255)),
            SCALES,
            Whole("zero", -128, 127, at_rest=0),
            Choice("spread", ("any", "even", "close", "steps")),
            Choice("order", ("planes", "rows")),
            Data(),
        ),
        each(_quantise),
        "exact rational distances",
        ROOMS,
        full=300,
        sample=12,
        sources=SOURCES,
    ),
)
