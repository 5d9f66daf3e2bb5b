"""Convolutions, depthwise ones and fully connected layers by CMSIS-NN, as generated code on the twin."""

from __future__ import annotations

import numpy as np

from hil.deploy.graph import Convolution, Dense, DepthwiseConvolution, Graph
from hil.neighbourhood.parameter import Choice, Parameters, Whole
from hil.neighbourhood.template import Template, Where
from hil_tests.neighbourhood import layers as la
from hil_tests.neighbourhood.on_twin import Case, asking, plainly

ORACLE = "the NumPy interpreter, and TFLite's reference kernels written down window by window"
OUTPUTS = Whole("outputs", 1, 12, (2, 3, 4, 8))


def convolution_graph(parameters: Parameters, random: np.random.Generator) -> Graph:
    """One convolution."""
    form, inputs = la.geometry(parameters), la.whole(parameters, "channels")
    outputs, zeros = la.whole(parameters, "outputs"), la.zeros(parameters)
    op = Convolution(
        name="conv",
        inputs=("in",),
        output="out",
        **form.window,
        activation=la.clamp(parameters, zeros[1]),
        weights=la.weights(random, (outputs, *form.window["kernel"], inputs), outputs, parameters),
    )
    return la.graph_of(op, (*form.source, inputs), (*form.output, outputs), zeros)


def depthwise_graph(parameters: Parameters, random: np.random.Generator) -> Graph:
    """One depthwise convolution."""
    form, inputs = la.geometry(parameters), la.whole(parameters, "channels")
    multiplier, zeros = la.whole(parameters, "multiplier"), la.zeros(parameters)
    outputs = inputs * multiplier
    op = DepthwiseConvolution(
        name="depthwise",
        inputs=("in",),
        output="out",
        **form.window,
        channel_multiplier=multiplier,
        activation=la.clamp(parameters, zeros[1]),
        weights=la.weights(random, (*form.window["kernel"], outputs), outputs, parameters),
    )
    return la.graph_of(op, (*form.source, inputs), (*form.output, outputs), zeros)


def _dense_graph(parameters: Parameters, random: np.random.Generator) -> Graph:
    depth, outputs = la.whole(parameters, "depth"), la.whole(parameters, "outputs")
    zeros = la.zeros(parameters)
    op = Dense(
        name="dense",
        inputs=("in",),
        output="out",
        activation=la.clamp(parameters, zeros[1]),
        weights=la.weights(random, (outputs, depth), outputs, parameters, one=True),
    )
    return la.graph_of(op, (1, 1, depth), (1, 1, outputs), zeros)


def _convolution(parameters: Parameters) -> Case:
    random = la.random_of(parameters)
    graph = convolution_graph(parameters, random)
    return plainly(graph, la.inputs(random, graph.tensor("in").shape, parameters))


def _depthwise(parameters: Parameters) -> Case:
    random = la.random_of(parameters)
    graph = depthwise_graph(parameters, random)
    return plainly(graph, la.inputs(random, graph.tensor("in").shape, parameters))


def _dense(parameters: Parameters) -> Case:
    random = la.random_of(parameters)
    graph = _dense_graph(parameters, random)
    return plainly(graph, la.inputs(random, graph.tensor("in").shape, parameters))


MULTIPLIER = Choice("multiplier", (1, 2, 3))

TEMPLATES = (
    Template(
        "convolution",
        "Is a convolution on the device what the int8 graph says?",
        (*la.windowed(), OUTPUTS, *la.WEIGHTED),
        asking(_convolution),
        ORACLE,
        la.ROOMS,
        Where.TWIN,
        la.fits,
        batch=40,
        full=1000,
        sample=24,
        sources=la.SOURCES,
    ),
    Template(
        "depthwise",
        "Is a depthwise convolution on the device what the int8 graph says?",
        (*la.windowed(channels=20), MULTIPLIER, *la.WEIGHTED),
        asking(_depthwise),
        ORACLE,
        la.ROOMS,
        Where.TWIN,
        la.fits,
        batch=40,
        full=800,
        sample=24,
        sources=la.SOURCES,
    ),
    Template(
        "dense",
        "Is a fully connected layer on the device what the int8 graph says?",
        (Whole("depth", 1, 300, (2, 3, 4, 15, 16, 17, 255, 256)), Whole("outputs", 1, 24), *la.WEIGHTED),
        asking(_dense),
        ORACLE,
        la.ROOMS,
        Where.TWIN,
        batch=40,
        full=480,
        sample=16,
        sources=la.SOURCES,
    ),
)
