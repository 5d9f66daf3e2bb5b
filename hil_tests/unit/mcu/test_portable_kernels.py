"""The kernels' portable C, for this machine with sanitisers, equals the interpreter bit for bit."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hil import paths
from hil.deploy.interpret import interpret
from hil.deploy.kernels.add import Addition
from hil.deploy.kernels.average import Average
from hil.deploy.kernels.convolve import Convolve
from hil.deploy.kernels.depthwise import Depthwise, DepthwisePlanes
from hil.deploy.program import DeviceHalf, Kernel, Site
from hil_tests import sharp_graphs
from hil_tests.graphs import Case
from hil_tests.unit.mcu.harness import FLAGS, host_compiler

FAMILIES: dict[str, tuple[Kernel, st.SearchStrategy[Case]]] = {
    "convolution": (Convolve(20, 4), sharp_graphs.CONVOLUTIONS),
    "depthwise": (Depthwise(), sharp_graphs.DEPTHWISE),
    "depthwise, small maps": (DepthwisePlanes(), sharp_graphs.SMALL_DEPTHWISE),
    "sum": (Addition(), sharp_graphs.additions()),
    "average": (Average(), sharp_graphs.averages()),
}


def program_of(kernel: Kernel, case: Case) -> str:
    """C that reads inputs from its standard input and writes outputs until there are no more."""
    graph = case.graph
    half, sizes = DeviceHalf(graph), {name: tensor.elements for name, tensor in graph.tensors.items()}
    sizes["scratch"] = kernel.scratch_bytes(half, graph.ops) or 1
    site = Site(half, graph.ops, "layer", {name: f"t_{name}" for name in sizes}, "(void *)t_scratch")
    code = kernel.emit(site)
    buffers = "".join(f"_Alignas(8) int8_t t_{name}[{size}];\n" for name, size in sizes.items())
    body = "\n".join(f"    {line}" for line in code.body)
    return f"""\
#include <stdint.h>
#include <stdio.h>
#include <string.h>
typedef int arm_cmsis_nn_status;
enum {{ ARM_CMSIS_NN_SUCCESS }};
{buffers}
{code.before}
static arm_cmsis_nn_status layer(void) {{
{body}
}}

int main(void) {{
    while (fread(t_in, sizeof t_in, 1, stdin) == 1) {{
        layer();
        fwrite(t_out, sizeof t_out, 1, stdout);
    }}
    return 0;
}}
"""


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=6, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_portable_c_equals_the_interpreter(family: str, data: st.DataObject) -> None:
    if (compiler := host_compiler()) is None:
        pytest.skip("no C compiler for this machine")
    kernel, strategy = FAMILIES[family]
    case = data.draw(strategy)
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder) / "layer.c", Path(folder) / "layer"
        source.write_text(program_of(kernel, case))
        includes = [f"-I{paths.MCU / 'kernels'}"]
        subprocess.run([compiler, *FLAGS, *includes, str(source), "-o", str(program)], check=True)
        answer = subprocess.run([str(program)], input=case.inputs.tobytes(), capture_output=True, check=False)
    assert answer.returncode == 0, answer.stderr.decode()
    want = interpret(case.graph, case.inputs)["out"]
    got = np.frombuffer(answer.stdout, np.int8).reshape(want.shape)
    np.testing.assert_array_equal(got, want, err_msg=str(case.graph.ops[0]))
