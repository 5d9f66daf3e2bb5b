"""Whole graphs of many ops on the twin: chains, branches, chosen kernels, memory plans, symbols."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hil.bundle import PayloadFormat
from hil.codec.coder import make_coder
from hil.codec.tables import tables_from
from hil.deploy.fuse import symbol_table
from hil.deploy.graph import (
    Add,
    AveragePool,
    Clamp,
    Convolution,
    Dense,
    DepthwiseConvolution,
    Graph,
    MaxPool,
    Op,
    Pad,
    Slice,
    Tensor,
)
from hil.deploy.interpret import interpret
from hil.deploy.lower import lower, plain
from hil.deploy.program import DeviceHalf, Program, Step
from hil.deploy.requantise import quantise_multiplier, single_rounding
from hil.neighbourhood.parameter import Choice, Data, Parameters, Whole
from hil.neighbourhood.template import PASSED, Context, Template, Verdict, Where
from hil.twin.image import Image
from hil.twin.twin import Twin
from hil_tests.neighbourhood import layers as la
from hil_tests.neighbourhood import reference
from hil_tests.neighbourhood.image import build
from hil_tests.neighbourhood.on_twin import parted
from hil_tests.twin.graph_image import model_of_program

SAMPLES = 2
SOURCES = (*la.SOURCES,)


@dataclass
class _Growing:
    """A graph that gets one op after the other."""

    random: np.random.Generator
    single: bool
    tensors: dict[str, Tensor] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)

    def tensor(self, shape: tuple[int, int, int], like: Tensor | None = None) -> Tensor:
        name = f"t{len(self.tensors)}" if self.tensors else "in"
        zero = int(self.random.choice([-128, -5, 0, 9, 127]))
        made = Tensor(name, shape, like.scale, like.zero_point) if like else Tensor(name, shape, 0.02, zero)
        self.tensors[name] = made
        return made

    def put(self, kind: type[Op], sources: Sequence[Tensor], output: Tensor, **more: object) -> Tensor:
        names = tuple(source.name for source in sources)
        self.ops.append(kind(name=f"op{len(self.ops)}", inputs=names, output=output.name, **more))  # type: ignore[arg-type]
        return output

    def weighted(self, source: Tensor, channels: int, kernel: int, stride: int, *, depthwise: bool) -> Tensor:
        height, width, inputs = source.shape
        pad = kernel // 2
        extents = tuple((extent + 2 * pad - kernel) // stride + 1 for extent in (height, width))
        outputs = inputs if depthwise else channels
        shape = (kernel, kernel, outputs) if depthwise else (outputs, kernel, kernel, inputs)
        settings = {"weights": "any", "bias": "any", "ratio": "single" if self.single else "double"}
        return self.put(
            DepthwiseConvolution if depthwise else Convolution,
            [source],
            self.tensor((*extents, outputs)),
            weights=la.weights(self.random, shape, outputs, settings),
            kernel=(kernel, kernel),
            stride=(stride, stride),
            padding=(pad, pad),
            activation=self.clamp(),
        )

    def clamp(self) -> tuple[int, int]:
        return (-128, 127) if self.random.random() < 0.5 else (int(self.random.integers(-128, 0)), 127)

    def add(self, one: Tensor, other: Tensor) -> Tensor:
        make = single_rounding if self.single else quantise_multiplier
        fixed = [make(0.5), make(float(self.random.uniform(0.05, 0.5)))]
        output = quantise_multiplier(float(self.random.uniform(0.5, 3.0)) / (1 << 20))
        return self.put(
            Add,
            [one, other],
            self.tensor(one.shape),
            left_shift=20,
            multipliers=(fixed[0][0], fixed[1][0]),
            shifts=(fixed[0][1], fixed[1][1]),
            output_multiplier=output[0],
            output_shift=output[1],
            activation=self.clamp(),
        )

    def pool(
        self, source: Tensor, kind: type[AveragePool] | type[MaxPool], kernel: tuple[int, int]
    ) -> Tensor:
        height, width, channels = source.shape
        shape = (height // kernel[0], width // kernel[1], channels)
        return self.put(
            kind,
            [source],
            self.tensor(shape, source),
            kernel=kernel,
            stride=kernel,
            padding=(0, 0),
            activation=self.clamp(),
        )


def graph_of(parameters: Parameters) -> Graph:
    """Ops drawn one by one; some maps are kept for a sum later on."""
    random = la.random_of(parameters)
    growing = _Growing(random, parameters["ratio"] == "single")
    now = growing.tensor(
        (la.whole(parameters, "height"), la.whole(parameters, "width"), la.whole(parameters, "channels"))
    )
    kept: list[Tensor] = []
    for _ in range(la.whole(parameters, "ops")):
        if random.random() < la.whole(parameters, "branches") / 10:
            kept.append(now)
        now = _next(growing, now, kept, random)
    feature = now
    if parameters["classes"] != 0:
        pooled = growing.pool(now, AveragePool, now.shape[:2])
        settings = {"weights": "any", "bias": "any", "ratio": "single" if growing.single else "double"}
        classes = la.whole(parameters, "classes")
        now = growing.put(
            Dense,
            [pooled],
            growing.tensor((1, 1, classes)),
            activation=(-128, 127),
            weights=la.weights(random, (classes, pooled.elements), classes, settings, one=True),
        )
    return Graph(growing.tensors, tuple(growing.ops), "in", now.name, feature.name)


def _next(growing: _Growing, now: Tensor, kept: list[Tensor], random: np.random.Generator) -> Tensor:
    alike = [other for other in kept if other.shape == now.shape and other is not now]
    if alike and random.random() < 0.7:
        return growing.add(now, alike[int(random.integers(len(alike)))])
    kind = random.choice(
        ["conv", "pointwise", "depthwise", "depthwise", "clamp", "pad", "slice", "max", "twice"]
    )
    height, width, channels = now.shape
    if kind == "clamp":
        return growing.put(Clamp, [now], growing.tensor(now.shape, now), activation=(-90, 100))
    if kind == "pad" and max(height, width) < 14:
        amounts = tuple(int(n) for n in random.integers(0, 2, 4))
        shape = (height + amounts[0] + amounts[1], width + amounts[2] + amounts[3], channels)
        return growing.put(Pad, [now], growing.tensor(shape, now), amounts=amounts)
    if kind == "slice" and channels > 1:
        begin = int(random.integers(0, channels - 1))
        end = int(random.integers(begin + 1, channels + 1))
        return growing.put(
            Slice, [now], growing.tensor((height, width, end - begin), now), begin=begin, end=end
        )
    if kind == "max" and min(height, width) >= 2:
        return growing.pool(now, MaxPool, (2, 2))
    if kind == "twice":
        return growing.add(now, now)
    stride = 2 if min(height, width) > 4 and random.random() < 0.3 else 1
    kernel = 1 if kind == "pointwise" else 3
    return growing.weighted(now, int(random.integers(1, 9)), kernel, stride, depthwise=kind == "depthwise")


@dataclass(frozen=True)
class _Case:
    program: Program
    inputs: NDArray[np.int8]
    values: dict[str, NDArray[np.int8]]
    payloads: tuple[bytes, ...]


def _case(parameters: Parameters) -> _Case:
    graph, random = graph_of(parameters), la.random_of(parameters)
    inputs = random.integers(-128, 128, (SAMPLES, *graph.tensor("in").shape), dtype=np.int8)
    values = interpret(graph, inputs)
    if parameters["codec"] == "nothing":
        half, payloads = DeviceHalf(graph), ()
    else:
        half, payloads = _sending(parameters, graph, values)
    if parameters["kernels"] == "plain":
        return _Case(plain(half), inputs, values, payloads)
    return _Case(lower(half, lambda half, step: _cost(random, step)), inputs, values, payloads)


def _cost(random: np.random.Generator, step: Step) -> float:
    """Any kernel may be the cheapest."""
    return float(random.random()) * step.count


def _sending(
    parameters: Parameters, graph: Graph, values: dict[str, NDArray[np.int8]]
) -> tuple[DeviceHalf, tuple[bytes, ...]]:
    assert graph.feature is not None
    feature = graph.tensor(graph.feature)
    height, width, channels = feature.shape
    centroids = tuple(
        np.linspace(
            feature.scale * (-128 - feature.zero_point), feature.scale * (127 - feature.zero_point), 16
        ).tolist()
    )
    codec = str(parameters["codec"])
    form = PayloadFormat(
        0, channels, height, width, centroids, codec, order="rows" if codec == "context" else "planes"
    )
    table = symbol_table(feature, centroids)
    planes = values[graph.feature].transpose(0, 3, 1, 2).reshape(SAMPLES, -1)
    symbols = table[planes.astype(np.int16) + 128]
    coder = make_coder(form, tables_from(form, symbols))
    return DeviceHalf(graph, coder, table), tuple(coder.encode(each) for each in symbols)


def _ask(instances: Sequence[Parameters], context: Context) -> list[Verdict]:
    cases = [_case(one) for one in instances]
    with tempfile.TemporaryDirectory() as folder:
        models = [model_of_program(case.program) for case in cases]
        sends = [bool(case.payloads) for case in cases]
        with closing(Twin(Image.load(build(models, Path(folder), packs=sends)))) as twin:
            return [_verdict(twin, index, case) for index, case in enumerate(cases)]


def _verdict(twin: Twin, index: int, case: _Case) -> Verdict:
    graph = case.program.half.graph
    assert graph.logits is not None
    want = case.values[graph.logits]
    if detail := parted("the interpreter", want, "the reference", reference.outputs(graph, case.inputs)):
        return Verdict(False, detail)
    source, logits, payload = struct.unpack("<3I", twin.read(twin.symbol(f"hil_model_buffers_{index}"), 12))
    for number, sample in enumerate(case.inputs):
        twin.write(source, sample.tobytes())
        if status := twin.call(f"hil_model_run_{index}", 0):
            return Verdict(False, f"a kernel refuses its arguments: {status}")
        if case.payloads:
            size = twin.call(f"ask_pack_{index}", twin.symbol("quantised"))
            if twin.read(payload, size) != case.payloads[number]:
                return Verdict(False, f"sample {number} has another payload than the host's coder makes")
        got = np.frombuffer(twin.read(logits, want[number].size), np.int8).reshape(want[number].shape)
        if detail := parted("the device", got, "the interpreter", want[number]):
            return Verdict(False, f"sample {number}: {detail}")
    return PASSED


TEMPLATES = (
    Template(
        "graph",
        "Does a whole graph give the interpreter's logits and the host's payload?",
        (
            Whole("ops", 1, 9),
            Whole("branches", 0, 6),
            Whole("height", 1, 12, at_rest=4),
            Whole("width", 1, 12, at_rest=4),
            Whole("channels", 1, 8),
            Whole("classes", 0, 10),
            Choice("kernels", ("plain", "any")),
            Choice("ratio", ("single", "double")),
            Choice("codec", ("nothing", "none", "lzw", "range", "huffman", "lz4", "context")),
            Data(),
        ),
        _ask,
        "the NumPy interpreter, TFLite's reference kernels, and the host's coder",
        ("deploy", "codec", "mcu", "twin"),
        Where.TWIN,
        batch=24,
        full=480,
        sample=12,
        sources=SOURCES,
    ),
)
