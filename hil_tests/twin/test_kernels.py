"""Our kernels, as generated C on the twin, equal the NumPy interpreter bit for bit."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hil.deploy.build import Toolchain
from hil.deploy.interpret import interpret
from hil.deploy.kernels.add import Addition
from hil.deploy.kernels.average import Average
from hil.deploy.kernels.convolve import Convolve
from hil.deploy.kernels.depthwise import Depthwise, DepthwisePlanes
from hil.deploy.program import DeviceHalf, Kernel, Program, Step
from hil.twin.image import Image
from hil.twin.twin import Twin
from hil_tests import sharp_graphs
from hil_tests.graphs import Case
from hil_tests.twin.graph_image import build_image, model_of_program
from hil_tests.twin.test_operators import run_on_twin

pytestmark = pytest.mark.twin

CASES_PER_IMAGE = 12

FAMILIES: dict[str, tuple[Kernel, st.SearchStrategy[Case]]] = {
    "convolution": (Convolve(64, 36), sharp_graphs.CONVOLUTIONS),
    "convolution, in many passes and turns": (Convolve(5, 2), sharp_graphs.CONVOLUTIONS),
    "depthwise": (Depthwise(), sharp_graphs.DEPTHWISE),
    "depthwise, small maps": (DepthwisePlanes(), sharp_graphs.SMALL_DEPTHWISE),
    "sum": (Addition(), sharp_graphs.additions()),
    "average": (Average(), sharp_graphs.averages()),
}


@pytest.mark.parametrize("family", FAMILIES)
@settings(
    max_examples=2,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_a_kernel_on_the_device_equals_the_interpreter(
    family: str, data: st.DataObject, toolchain: Toolchain
) -> None:
    kernel, strategy = FAMILIES[family]
    cases = data.draw(st.lists(strategy, min_size=CASES_PER_IMAGE, max_size=CASES_PER_IMAGE))
    halves = [DeviceHalf(case.graph) for case in cases]
    assert all(kernel.covers(half, 0) == 1 for half in halves)
    models = [model_of_program(Program(half, (Step(0, 1, kernel),))) for half in halves]
    with tempfile.TemporaryDirectory() as folder:
        twin = Twin(Image.load(build_image(toolchain, models, Path(folder))))
        for index, case in enumerate(cases):
            output = case.graph.tensor("out")
            expected = interpret(case.graph, case.inputs)["out"]
            for sample, want in zip(case.inputs, expected, strict=True):
                got = run_on_twin(twin, index, sample, output.elements).reshape(output.shape)
                np.testing.assert_array_equal(got, want, err_msg=f"{case.graph.ops[0]} {case.graph.tensors}")
