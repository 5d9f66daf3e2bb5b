"""What a bundle's int8 device half sends of some images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.bundle import Bundle
from hil.deploy.fuse import symbol_table
from hil.deploy.graph import Graph
from hil.deploy.interpret import interpret
from hil.errors import BundleError

_BATCH = 16
"""A few images at a time keep memory low."""


def symbols_of(
    bundle: Bundle, graph: Graph, images: NDArray[np.float32] | NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """`images` (N, H, W, C) as a split holds them → planar symbols (N, symbols), by the interpreter.

    `graph` is `package.make_graph(bundle)`. Raises BundleError where the bundle sends nothing.
    """
    payload = bundle.manifest.payload
    if payload is None or graph.feature is None:
        raise BundleError("the bundle sends nothing", "name a bundle of another scheme")
    symbol_of = symbol_table(graph.tensor(graph.feature), payload.centroids)
    source = graph.tensor(graph.input)
    parts = []
    for begin in range(0, len(images), _BATCH):
        inputs = bundle.manifest.input.prepare(images[begin : begin + _BATCH])
        feature = interpret(graph, source.quantise(inputs))[graph.feature]
        sent = feature[..., payload.channel_begin : payload.channel_begin + payload.channels]
        parts.append(symbol_of[sent.transpose(0, 3, 1, 2).reshape(len(sent), -1).astype(np.int16) + 128])
    return np.concatenate(parts)


def calibration_symbols(bundle: Bundle, graph: Graph) -> NDArray[np.uint8]:
    """The same of the calibration images that travel in the bundle.

    Raises BundleError where there are none.
    """
    images = bundle.tensors.get("record.calibration")
    if images is None or not len(images):
        raise BundleError("the bundle holds no calibration samples", "train it again")
    return symbols_of(bundle, graph, images)
