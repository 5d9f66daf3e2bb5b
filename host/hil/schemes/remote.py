"""The server half as the server calls it: payloads in, logits as they cross the link out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hil import bundle
from hil.codec.coder import make_coder
from hil.errors import BundleError
from hil.schemes.halves import load_server

FRACTION_BITS = 8
"""Logits are int16 with that many fraction bits: ±128 in steps of 1/256."""


def to_fixed(logits: NDArray[np.float32]) -> NDArray[np.int16]:
    """Nearest int16 with FRACTION_BITS fraction bits (ties to even), saturated; the shape of `logits`."""
    scaled = np.rint(logits.astype(np.float64) * (1 << FRACTION_BITS))
    return np.clip(scaled, -32768, 32767).astype(np.int16)


class RemoteHalf:
    """Holds the server half of one bundle. Raises BundleError when `path` is none, or sends nothing."""

    def __init__(self, path: Path) -> None:
        loaded = bundle.load(path)
        if loaded.manifest.payload is None:
            raise BundleError(f"{path} answers on the device alone", "it needs no server")
        self.manifest = loaded.manifest
        self._payload = loaded.manifest.payload
        self._centroids = np.array(self._payload.centroids, dtype=np.float32)
        self._coder = make_coder(self._payload, loaded.part("codec"))
        self._network = load_server(loaded)

    def decode(self, payload: bytes) -> NDArray[np.float32]:
        """Centroid values (channels, height, width) of one payload. Raises CodecError.

        Symbols come channel by channel, each row by row.
        """
        form = self._payload
        symbols = self._coder.decode(payload)
        return self._centroids[symbols].reshape(form.channels, form.height, form.width)

    def infer(self, payloads: list[bytes]) -> NDArray[np.int16]:
        """Logits (N, classes) of all `payloads` in one batch. Raises CodecError if one is corrupt."""
        return self._run([self.decode(payload) for payload in payloads])

    def warm_up(self) -> None:
        """One inference on a payload of zeros, so that the first sample does not pay for set-up."""
        self.infer([self._coder.encode(np.zeros(self._payload.symbols, np.uint8))])

    def _run(self, values: list[NDArray[np.float32]]) -> NDArray[np.int16]:
        if not values:
            return np.zeros((0, self.manifest.classes), np.int16)
        with torch.inference_mode():
            logits = self._network(torch.from_numpy(np.stack(values)))
        return to_fixed(logits.numpy())
