"""The server half inside this process, for runs whose server time is fixed: no cell pays for a start."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hil import bundle as bundles
from hil.errors import CodecError, ServerError
from hil.server.answer import Answer, Connection, Request, Status
from hil.server.remote import Remote


@dataclass(frozen=True)
class InlineServer:
    """Serves the bundle at `path` to the process it is in."""

    path: Path

    def connect(self, bundle_hash: bytes, timeout_s: float) -> Connection:
        """Raises ServerError for another bundle, BundleError where it has no server half."""
        if bundles.digest(self.path) != bundle_hash:
            raise ServerError(f"{self.path} is not the bundle of this run", "name the one that was built")
        return InlineConnection(_loaded(self.path, bundle_hash))

    def log(self) -> bytes:
        return b""


@dataclass(frozen=True)
class InlineConnection:
    """Answers at once; how long it took is not told."""

    remote: Remote

    def infer(self, payload: bytes, timeout_s: float, *, prefix: bool = False) -> Answer:
        """As a server process would."""
        try:
            decoded = self.remote.decode_request(Request(payload, prefix))
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
