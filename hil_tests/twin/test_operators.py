"""Every graph operator, as generated C on the twin, equals the NumPy interpreter bit for bit."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hil.deploy.build import Toolchain
from hil.deploy.interpret import interpret
from hil.twin.image import Image
from hil.twin.twin import Twin
from hil_tests import graphs
from hil_tests.twin.graph_image import build_image, model_of

pytestmark = pytest.mark.twin

CASES_PER_IMAGE = 16
"""Shapes in one image: compiling costs about a second, running a millisecond."""


def run_on_twin(twin: Twin, index: int, sample: NDArray[np.int8], output_size: int) -> NDArray[np.int8]:
    """Runs model `index` on one sample and reads its logits."""
    pointers = struct.unpack("<3I", twin.read(twin.symbol(f"hil_model_buffers_{index}"), 12))
    twin.write(pointers[0], sample.tobytes())
    assert twin.call(f"hil_model_run_{index}", 0) == 0, "a kernel refused its arguments"
    return np.frombuffer(twin.read(pointers[1], output_size), dtype=np.int8)


@pytest.mark.parametrize("name", graphs.OPERATORS)
@settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_an_operator_on_the_device_equals_the_interpreter(
    name: str, data: st.DataObject, toolchain: Toolchain
) -> None:
    strategy = graphs.OPERATORS[name]
    cases = data.draw(st.lists(strategy, min_size=CASES_PER_IMAGE, max_size=CASES_PER_IMAGE))
    with tempfile.TemporaryDirectory() as folder:
        elf = build_image(toolchain, [model_of(case.graph) for case in cases], Path(folder))
        twin = Twin(Image.load(elf))
        for index, case in enumerate(cases):
            output = case.graph.tensor("out")
            expected = interpret(case.graph, case.inputs)["out"]
            for sample, want in zip(case.inputs, expected, strict=True):
                got = run_on_twin(twin, index, sample, output.elements).reshape(output.shape)
                np.testing.assert_array_equal(got, want, err_msg=str(case.graph.ops[0]))
