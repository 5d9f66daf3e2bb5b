"""AgileNN's extractor as one step equals the interpreter and the host's coder bit for bit."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hil.deploy.build import Toolchain
from hil.deploy.kernels.front.kernel import KERNELS
from hil.deploy.lower import lower
from hil.deploy.program import DeviceHalf, Program, Step
from hil.twin.image import Image
from hil.twin.twin import Twin
from hil_tests.fronts import FrontCase, fronts
from hil_tests.twin.graph_image import build_image, model_of_program

pytestmark = pytest.mark.twin

CASES_PER_IMAGE = 8


def front_first(half: DeviceHalf, step: Step) -> float:
    return 0.0 if step.kernel in KERNELS else 1.0


def program_of(case: FrontCase) -> Program:
    program = lower(case.half, front_first)
    assert len(program.steps) == 1, "the front was not found, or not whole"
    return program


def check(twin: Twin, index: int, case: FrontCase) -> None:
    source, logits, payload = struct.unpack("<3I", twin.read(twin.symbol(f"hil_model_buffers_{index}"), 12))
    for number, (sample, want) in enumerate(zip(case.inputs, case.payloads, strict=True)):
        twin.write(source, sample.tobytes())
        assert twin.call(f"hil_model_run_{index}", 0) == 0
        size = twin.call(f"pack_{index}", twin.symbol("quantised"))
        assert twin.read(payload, size) == want
        if case.logits is not None:
            got = np.frombuffer(twin.read(logits, case.logits.shape[1]), np.int8)
            np.testing.assert_array_equal(got, case.logits[number])


@settings(
    max_examples=2,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(cases=st.lists(fronts(), min_size=CASES_PER_IMAGE, max_size=CASES_PER_IMAGE))
def test_the_front_equals_interpreter_and_coder(cases: list[FrontCase], toolchain: Toolchain) -> None:
    with tempfile.TemporaryDirectory() as folder:
        models = [model_of_program(program_of(case)) for case in cases]
        twin = Twin(Image.load(build_image(toolchain, models, Path(folder), packs=True)))
        for index, case in enumerate(cases):
            check(twin, index, case)
