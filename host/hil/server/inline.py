"""The server half inside this process, for runs whose server time is fixed: no cell pays for a start."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from hil import bundle as bundles
from hil.errors import CodecError, ServerError
from hil.server.answer import Answer, Connection, Request, Stamp, Status
from hil.server.remote import Remote
from hil.server.tagger import Tagger


@dataclass(frozen=True)
class InlineServer:
    """Serves the bundle at `path` to the process it is in."""

    path: Path
    device_key: bytes | None = field(default=None, repr=False)
    """Of the device, where that takes authentic replies only."""

    def connect(self, bundle_hash: bytes, timeout_s: float) -> Connection:
        """Raises ServerError for another bundle, BundleError where it has no server half."""
        if bundles.digest(self.path) != bundle_hash:
            raise ServerError(f"{self.path} is not the bundle of this run", "name the one that was built")
        return InlineConnection(_loaded(self.path, bundle_hash), self.device_key)

    def log(self) -> bytes:
        return b""


@dataclass(frozen=True)
class InlineConnection:
    """Answers at once; how long it took is not told."""

    remote: Remote
    device_key: bytes | None = field(default=None, repr=False)
    tagger: Tagger = field(default_factory=Tagger)

    def begin(self, device_nonce: bytes, server_nonce: bytes, timeout_s: float) -> bytes:
        """Raises ServerError without a key."""
        if self.device_key is None:
            raise ServerError("the server half has no key of this device", "give it one")
        return self.tagger.begin(self.device_key, device_nonce, server_nonce)

    def infer(
        self, payload: bytes, timeout_s: float, *, prefix: bool = False, stamp: Stamp | None = None
    ) -> Answer:
        """As a server process would."""
        request = Request(payload, prefix, stamp)
        return self.tagger.tagged(self._answer(request), request)

    def _answer(self, request: Request) -> Answer:
        try:
            decoded = self.remote.decode_request(request)
        except CodecError as error:
            return Answer(Status.CORRUPT, detail=str(error))
        if decoded.values is None:
            return Answer(Status.EMPTY)
        (logits,) = self.remote.logits([decoded.values]).tolist()
        return Answer(Status.OK, tuple(logits), channels=decoded.channels)

    def close(self) -> None:
        pass


@lru_cache(maxsize=4)
def _loaded(path: Path, digest: bytes) -> Remote:
    """A worker meets the same few bundles again and again."""
    from hil.schemes.remote import RemoteHalf

    remote: Remote = RemoteHalf(path)
    return remote
