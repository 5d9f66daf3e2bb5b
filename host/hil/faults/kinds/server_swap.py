"""A server half that comes back with another bundle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any, Final

from hil.errors import UsageError
from hil.faults.kind import Kind, Layer
from hil.faults.kinds.asked import ServerInjection
from hil.faults.outcome import Outcome
from hil.server.process import ServerProcess, serve_command
from hil.server.protocol import LENGTH, Hello, parse_hello
from hil.server.protocol import Kind as Message

READY_S: Final = 120.0


class ServerSwap(ServerInjection):
    """For one sample another server half is where this one was: connections end, and new ones reach that."""

    def __init__(self, settings: Mapping[str, Any], random: Random) -> None:
        super().__init__(settings, random)
        self._other: ServerProcess | None = None
        self._bundle_hash = b""
        self._swapped = False

    def begin(self, index: int) -> None:
        super().begin(index)
        if self.armed:
            self._swapped = True
            self.proxy.detour(self._port())
            self.proxy.drop()

    def end(self, index: int) -> None:
        if self._swapped:
            self._swapped = False
            self.proxy.detour(None)
            self.proxy.drop()

    def close(self) -> None:
        super().close()
        if self._other is not None:
            self._other.stop()

    def _on_asked(self, kind: Message | None, message: bytes) -> bytes | None:
        if kind is Message.HELLO and not self._bundle_hash:
            hello: Hello = parse_hello(message[LENGTH.size + 1 :])
            self._bundle_hash = hello.bundle_hash
        return message

    def _on_answered(self, kind: Message | None, message: bytes) -> bytes | None:
        if self._swapped and kind is Message.REFUSED:
            self.took_place("another bundle is served")
        return message

    def _port(self) -> int:
        if self._other is None:
            self._other = ServerProcess(serve_command(another(self._bundle_hash)))
        return self._other.wait(READY_S).port


def another(bundle_hash: bytes) -> Path:
    """A shipped bundle with a server half that is not the one with this hash. Raises UsageError."""
    from hil import bundle as bundles
    from hil.zoo import shelf

    for name in shelf.names():
        path = shelf.FOLDER / f"{name}.safetensors"
        if bundles.read_manifest(path).payload is not None and bundles.digest(path) != bundle_hash:
            return path
    raise UsageError("there is no other bundle to swap to", "reinstall hil: bundles come with it")


SERVER_SWAP: Final = Kind(
    "server-swap",
    Layer.SERVER,
    "the server half is restarted with another bundle, and back after the sample",
    frozenset({Outcome.FALLBACK, Outcome.FAILED}),
    ServerSwap,
    own_server=True,
    usual=60,
    trials=("rate=0.8",),
)
