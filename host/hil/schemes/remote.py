"""The server half as the server calls it: payloads, some cut short, in; logits for the link out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hil import bundle
from hil.codec.coder import ProgressiveCoder, make_coder
from hil.errors import BundleError, CodecError
from hil.schemes import prefix
from hil.schemes.halves import load_server
from hil.server.answer import Request
from hil.server.remote import Decoded

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
        if self._payload.progressive and not isinstance(self._coder, ProgressiveCoder):
            raise BundleError(
                f"{path} is progressive, but codec {self._payload.codec!r} is read whole or not at all",
                "train it with 'range', 'huffman' or 'none'",
            )
        # Depthwise convolutions are half as fast again in this layout.
        self._network = load_server(loaded).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def decode(self, payload: bytes) -> NDArray[np.float32]:
        """Centroid values (channels, height, width) of one payload. Raises CodecError.

        Symbols come channel by channel, each row by row.
        """
        form = self._payload
        symbols = self._coder.decode(payload)
        return self._centroids[symbols].reshape(form.channels, form.height, form.width)

    def decode_prefix(self, payload: bytes) -> tuple[NDArray[np.float32], int]:
        """The same of a payload's first bytes, and how many channels are complete in them.

        The other channels are `prefix.MISSING`. Raises CodecError, also where the server half was not
        trained for it.
        """
        form = self._payload
        if not form.progressive or not isinstance(self._coder, ProgressiveCoder):
            raise CodecError("the bundle is not progressive: its server half answers whole payloads only")
        symbols = self._coder.decode_prefix(payload)
        complete = symbols.size // (form.height * form.width)
        values = np.empty((form.channels, form.height, form.width), np.float32)
        values[:complete] = self._centroids[symbols].reshape(complete, form.height, form.width)
        return prefix.known(values, complete), complete

    @property
    def payload_max(self) -> int:
        """Bytes that a payload can have at most."""
        return self._coder.capacity

    def decode_request(self, request: Request) -> Decoded:
        """See `hil.server.remote.Remote`. Raises CodecError."""
        if not request.prefix:
            return Decoded(self.decode(request.payload), self._payload.channels)
        values, channels = self.decode_prefix(request.payload)
        return Decoded(values if channels else None, channels)

    def logits(self, values: list[NDArray[np.float32]]) -> NDArray[np.int16]:
        """Logits (N, classes) of N decoded payloads (channels, height, width), in one batch."""
        if not values:
            return np.zeros((0, self.manifest.classes), np.int16)
        given = torch.from_numpy(np.stack(values)).contiguous(memory_format=torch.channels_last)
        with torch.inference_mode():
            logits = self._network(given)
        return to_fixed(logits.numpy())

    def infer(self, payloads: list[bytes]) -> NDArray[np.int16]:
        """Logits (N, classes) of whole `payloads` in one batch. Raises CodecError if one is corrupt."""
        return self.logits([self.decode(payload) for payload in payloads])

    def warm_up(self) -> None:
        """One inference on a payload of zeros, so that the first sample does not pay for set-up."""
        self.infer([self._coder.encode(np.zeros(self._payload.symbols, np.uint8))])
