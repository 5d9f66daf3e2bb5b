"""hil's own kernels over their shapes, block sizes and edges, as generated code on the twin."""

from __future__ import annotations

import numpy as np

from hil.deploy.graph import AveragePool, DepthwiseConvolution
from hil.deploy.kernels.add import Addition
from hil.deploy.kernels.average import Average
from hil.deploy.kernels.convolve import Convolve
from hil.deploy.kernels.depthwise import Depthwise, DepthwisePlanes
from hil.deploy.program import DeviceHalf, Kernel
from hil.neighbourhood.parameter import Choice, Parameter, Parameters, Whole
from hil.neighbourhood.template import Template, Where
from hil_tests.neighbourhood import convolutions, elementwise
from hil_tests.neighbourhood import layers as la
from hil_tests.neighbourhood.on_twin import Case, asking, by

SOURCES = (*elementwise.SOURCES, "hil_tests/neighbourhood/elementwise.py")

WEIGHTED: tuple[Parameter, ...] = (*la.NUMBERS, la.WEIGHTS, la.BIAS, la.CLAMP)
"""These kernels round once."""


def _single(parameters: Parameters) -> Parameters:
    return {**parameters, "ratio": "single"}


def _convolution(parameters: Parameters) -> Case:
    random = la.random_of(parameters)
    graph = convolutions.convolution_graph(_single(parameters), random)
    kernel = Convolve(la.whole(parameters, "pixels"), la.whole(parameters, "unroll"))
    assert kernel.covers(DeviceHalf(graph), 0) == 1
    return by(kernel, graph, la.inputs(random, graph.tensor("in").shape, parameters))


def _depthwise(parameters: Parameters) -> Case:
    random, zeros = la.random_of(parameters), la.zeros(parameters)
    full = _three_by_three(parameters)
    form, channels = la.geometry(full), la.whole(parameters, "channels")
    op = DepthwiseConvolution(
        name="depthwise",
        inputs=("in",),
        output="out",
        **form.window,
        activation=la.clamp(parameters, zeros[1]),
        weights=la.weights(random, (3, 3, channels), channels, full),
    )
    graph = la.graph_of(op, (*form.source, channels), (*form.output, channels), zeros)
    kernel: Kernel = DepthwisePlanes() if parameters["kernel"] == "planes" else Depthwise()
    assert kernel.covers(DeviceHalf(graph), 0) == 1
    return by(kernel, graph, la.inputs(random, graph.tensor("in").shape, parameters))


def _three_by_three(parameters: Parameters) -> Parameters:
    stride = parameters["stride"]
    window = {"kernel_height": 3, "kernel_width": 3, "stride_height": stride, "stride_width": stride}
    return {**_single(parameters), **window}


def _depthwise_fits(parameters: Parameters) -> bool:
    """24 pairs of outputs are as much as the kernel for small maps unrolls."""
    height, width = la.extents(_three_by_three(parameters))
    small = parameters["kernel"] != "planes" or height * -(-width // 2) <= 24
    return min(height, width) >= 1 and small


def _addition(parameters: Parameters) -> Case:
    graph = elementwise.addition({**parameters, "operands": "one", "zero_other": 0})
    assert Addition().covers(DeviceHalf(graph), 0) == 1
    return by(Addition(), graph, la.inputs(la.random_of(parameters), graph.tensor("in").shape, parameters))


def _average(parameters: Parameters) -> Case:
    random, zero = la.random_of(parameters), la.whole(parameters, "zero_in")
    height, width, channels = (la.whole(parameters, name) for name in ("height", "width", "channels"))
    op = AveragePool(
        name="average",
        inputs=("in",),
        output="out",
        kernel=(height, width),
        stride=(1, 1),
        padding=(0, 0),
        activation=la.clamp(parameters, zero),
    )
    graph = la.graph_of(op, (height, width, channels), (1, 1, channels), (zero, zero))
    inputs = la.inputs(random, (height, width, channels), parameters)
    # Means near a half: where rounding shows.
    inputs[1] = np.clip(random.normal(random.integers(-128, 128), 2.0, inputs[1].shape), -128, 127)
    return by(Average(), graph, inputs)


ADDITION = tuple(each for each in elementwise.ADDITION if each.name not in ("operands", "zero_other", "gain"))

TEMPLATES = (
    Template(
        "own-convolution",
        "Is hil's convolution what the int8 graph says, whatever its blocks and loops are?",
        (
            *la.windowed(),
            convolutions.OUTPUTS,
            Choice("pixels", (64, 1, 2, 5, 32, 128)),
            Choice("unroll", (36, 1, 2, 4, 12)),
            *WEIGHTED,
        ),
        asking(_convolution),
        convolutions.ORACLE,
        la.ROOMS,
        Where.TWIN,
        la.fits,
        batch=40,
        full=800,
        sample=16,
        sources=SOURCES,
    ),
    Template(
        "own-depthwise",
        "Are hil's depthwise convolutions what the int8 graph says?",
        (
            Choice("kernel", ("rows", "planes")),
            Whole("channels", 1, 20, (2, 3, 4, 5, 8)),
            Whole("height", 1, 12, at_rest=3),
            Whole("width", 1, 20, (4, 5), at_rest=3),
            Choice("stride", (1, 2)),
            Whole("padding_height", 0, 4, (1,)),
            Whole("padding_width", 0, 4, (1,)),
            *WEIGHTED,
        ),
        asking(_depthwise),
        convolutions.ORACLE,
        la.ROOMS,
        Where.TWIN,
        _depthwise_fits,
        batch=40,
        full=600,
        sample=16,
        sources=SOURCES,
    ),
    Template(
        "own-addition",
        "Is hil's sum of two maps what the int8 graph says?",
        (*ADDITION, Choice("gain", ("even", "small", "large", "huge"))),
        asking(_addition),
        convolutions.ORACLE,
        la.ROOMS,
        Where.TWIN,
        batch=60,
        full=360,
        sample=12,
        sources=SOURCES,
    ),
    Template(
        "own-average",
        "Is hil's average over a whole map what the int8 graph says?",
        (
            Whole("height", 1, 18, (2, 15, 16)),
            Whole("width", 1, 18, (2, 15, 16)),
            Whole("channels", 1, 12, (2, 3, 4, 8)),
            la.CLAMP,
            la.ZERO_IN,
            la.INPUTS,
            la.DATA,
        ),
        asking(_average),
        convolutions.ORACLE,
        la.ROOMS,
        Where.TWIN,
        batch=60,
        full=360,
        sample=12,
        sources=SOURCES,
    ),
)
