"""Generated code of many small graphs in one image, run on the twin and held against two oracles."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hil.deploy.graph import Graph
from hil.deploy.interpret import interpret
from hil.deploy.lower import plain
from hil.deploy.program import DeviceHalf, Kernel, Program, Step
from hil.errors import TwinFault
from hil.neighbourhood.parameter import Parameters
from hil.neighbourhood.template import PASSED, Ask, Context, Verdict, wraps_module
from hil.twin.image import Image
from hil.twin.twin import Twin
from hil_tests.neighbourhood import reference
from hil_tests.neighbourhood.image import build
from hil_tests.twin.graph_image import model_of_program

SOURCES = tuple(
    f"hil_tests/{name}.py"
    for name in (
        "neighbourhood/on_twin",
        "neighbourhood/image",
        "neighbourhood/reference",
        "twin/graph_image",
    )
)
ROOMS = ("deploy", "mcu", "twin")


@dataclass(frozen=True)
class Case:
    """A device half under chosen kernels, and a batch of inputs (N, height, width, channels)."""

    program: Program
    inputs: NDArray[np.int8]

    @property
    def graph(self) -> Graph:
        return self.program.half.graph


def plainly(graph: Graph, inputs: NDArray[np.int8]) -> Case:
    """On CMSIS-NN, and on what it has not."""
    return Case(plain(DeviceHalf(graph)), inputs)


def by(kernel: Kernel, graph: Graph, inputs: NDArray[np.int8]) -> Case:
    """All of `graph` by one kernel."""
    return Case(Program(DeviceHalf(graph), (Step(0, len(graph.ops), kernel),)), inputs)


def asking(make: Callable[[Parameters], Case]) -> Ask:
    """Instances become cases, cases one image; every output has to be both oracles'."""

    @wraps_module(make)
    def ask(instances: Sequence[Parameters], context: Context) -> list[Verdict]:
        cases = [make(one) for one in instances]
        with tempfile.TemporaryDirectory() as folder:
            models = [model_of_program(case.program) for case in cases]
            elf = build(models, Path(folder))
            with closing(Twin(Image.load(elf))) as twin:
                return [_verdict(twin, index, case) for index, case in enumerate(cases)]

    return ask


def _verdict(twin: Twin, index: int, case: Case) -> Verdict:
    graph = case.graph
    assert graph.logits is not None
    expected = interpret(graph, case.inputs)[graph.logits]
    if detail := parted("the interpreter", expected, "the reference", reference.outputs(graph, case.inputs)):
        return Verdict(False, detail)
    pointers = struct.unpack("<3I", twin.read(twin.symbol(f"hil_model_buffers_{index}"), 12))
    for sample, want in zip(case.inputs, expected, strict=True):
        twin.write(pointers[0], sample.tobytes())
        try:
            status = twin.call(f"hil_model_run_{index}", 0)
        except TwinFault as fault:
            return Verdict(False, f"the twin: {fault.message}")
        if status:
            return Verdict(False, f"a kernel refuses its arguments: {status}")
        got = np.frombuffer(twin.read(pointers[1], want.size), np.int8).reshape(want.shape)
        if detail := parted("the device", got, "the interpreter", want):
            return Verdict(False, detail)
    return PASSED


def parted(name: str, got: NDArray[np.int8], other: str, want: NDArray[np.int8]) -> str:
    """Where two maps differ first, and in how many places."""
    places = np.argwhere(got != want)
    if not len(places):
        return ""
    at = tuple(int(i) for i in places[0])
    count = f"{len(places)} of {want.size} values"
    return f"{name} has {got[at]}, {other} {want[at]} at {at}; they differ in {count}"


__all__ = ["PASSED", "ROOMS", "SOURCES", "Case", "asking", "by", "parted", "plainly"]
