"""The host's reference for one sample: what the device must compute, bit for bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.codec import lzw
from hil.deploy.deployment import Deployment, Reference
from hil.deploy.interpret import interpret


class Oracle:
    """Computes `Reference`s for a deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    def __call__(self, sample: NDArray[np.int8]) -> Reference:
        """`sample` is int8 (height, width, channels)."""
        graph, payload = self._deployment.graph, self._deployment.manifest.payload
        values = interpret(graph, sample[None])
        logits = values[graph.logits][0].ravel() if graph.logits else None
        if payload is None or graph.feature is None or self._deployment.symbol_of is None:
            return Reference(logits, None, b"")
        end = payload.channel_begin + payload.channels
        feature = values[graph.feature][0, :, :, payload.channel_begin : end]
        planar = feature.transpose(2, 0, 1).ravel()
        symbols = self._deployment.symbol_of[planar.astype(np.int16) + 128]
        return Reference(logits, symbols, lzw.encode(symbols, len(payload.centroids)))
