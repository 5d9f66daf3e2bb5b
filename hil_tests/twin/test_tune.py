"""The tuner's measurements on the twin: exact, repeatable, and of what was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from hil.bundle import PayloadFormat
from hil.codec.coder import make_coder
from hil.deploy import lower
from hil.deploy.build import Toolchain
from hil.deploy.graph import Clamp, Graph, Slice
from hil.deploy.program import DeviceHalf
from hil.deploy.tune.expected import random_sample
from hil.deploy.tune.measure import measure
from hil.deploy.tune.tail import tail_half
from hil.deploy.tune.trial import Trial
from hil.deploy.tune.tuner import tune
from hil.errors import BuildError
from hil_tests.stand_in_kernels import StandIn, chain

pytestmark = pytest.mark.twin

PIXELS = 64
RIGHT = StandIn(
    "right",
    (Clamp, Slice),
    (
        "const int8_t *const from = $in;",
        "int8_t *const to = $out;",
        f"for (int i = 0; i < {PIXELS}; i++) {{",
        "    for (int c = 0; c < 3; c++) {",
        "        const int8_t v = from[4 * i + c + 1];",
        "        to[3 * i + c] = v < -50 ? -50 : v > 50 ? 50 : v;",
        "    }",
        "}",
        "return ARM_CMSIS_NN_SUCCESS;",
    ),
)
WRONG = StandIn("wrong", (Slice,))
REFUSING = StandIn("refusing", (Slice,), ("return ARM_CMSIS_NN_ARG_ERROR;",))


def _sending() -> DeviceHalf:
    half = chain()
    form = PayloadFormat(0, 2, 8, 8, (0.0, 1.0, 2.0, 3.0), "none")
    symbol_of = (np.arange(256) // 64).astype(np.uint8)
    graph = Graph(half.graph.tensors, half.graph.ops, "in", None, "out")
    return DeviceHalf(graph, make_coder(form, {}), symbol_of)


def test_every_candidate_and_the_tail_are_timed_the_same_each_time(
    toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lower, "SPECIALISED", (RIGHT,))
    half = _sending()
    trials = [Trial(half, step) for first in range(3) for step in lower.candidates(half, first)]
    found, tail = measure(toolchain, half, random_sample(half), trials, tail_half(half))
    assert tail
    assert tail.quantise_cycles > 2 * PIXELS
    assert tail.encode_cycles > 0
    assert all(one and one.cycles > PIXELS and one.code_bytes > 0 for one in found)
    assert measure(toolchain, half, random_sample(half), trials, tail_half(half)) == (found, tail)


@pytest.mark.parametrize(
    ("kernel", "complaint"), [(WRONG, "makes .* of 192 values of 'out' other"), (REFUSING, "refused")]
)
def test_a_kernel_that_is_wrong_is_named(
    kernel: StandIn, complaint: str, toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lower, "SPECIALISED", (kernel,))
    with pytest.raises(BuildError, match=rf"kernel {kernel.name} for 'slice' {complaint}"):
        tune(chain(), toolchain)
