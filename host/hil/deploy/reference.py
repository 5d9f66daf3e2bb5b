"""The host's reference for one sample: what the device must compute, bit for bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.codec.coder import make_coder
from hil.deploy.deployment import Deployment, Reference
from hil.deploy.exit import exits
from hil.deploy.interpret import interpret


class Oracle:
    """Computes `Reference`s for a deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        payload = deployment.manifest.payload
        self._coder = make_coder(payload, deployment.codec_tables) if payload else None

    def __call__(self, sample: NDArray[np.int8]) -> Reference:
        """`sample` is int8 (height, width, channels)."""
        graph, payload = self._deployment.graph, self._deployment.manifest.payload
        values = interpret(graph, sample[None])
        logits = values[graph.logits][0].ravel() if graph.logits else None
        symbol_of = self._deployment.symbol_of
        if payload is None or self._coder is None or graph.feature is None or symbol_of is None:
            return Reference(logits, None, b"", stays=True)
        end = payload.channel_begin + payload.channels
        feature = values[graph.feature][0, :, :, payload.channel_begin : end]
        planar = feature.transpose(2, 0, 1).ravel()
        symbols = symbol_of[planar.astype(np.int16) + 128]
        rule = self._deployment.exit
        stays = rule is not None and logits is not None and exits(rule, logits)
        return Reference(logits, symbols, self._coder.encode(symbols), stays)
