"""A server half without a network, a service of it in a thread, and one as a program of its own."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from hil.errors import CodecError
from hil.server.answer import Request
from hil.server.app import Stop, run_service
from hil.server.batching import BatchLimits, Inferred
from hil.server.orphan import watch_parent
from hil.server.process import ready_line
from hil.server.service import Service

HASH = bytes(range(32))


@dataclass
class FakeRemote:
    """Logits are (length, first byte, 0…). `bad` is corrupt, `boom` breaks the network.

    A channel is two bytes long, a payload four channels.
    """

    seconds: float = 0.0
    classes: int = 2
    batches: list[int] = field(default_factory=list)
    progressive: bool = True
    hold: threading.Event | None = None
    """While unset, inference does not end."""

    def warm_up(self) -> None:
        pass

    def answer(self, requests: list[Request]) -> list[Inferred]:
        self.batches.append(len(requests))
        if self.hold is not None:
            self.hold.wait(10)
        time.sleep(self.seconds)
        payloads = [request.payload for request in requests]
        if b"bad" in payloads:
            raise CodecError("the payload holds the impossible code 9")
        if b"boom" in payloads:
            raise RuntimeError("shapes do not match")
        if not self.progressive and any(request.prefix for request in requests):
            raise CodecError("the bundle is not progressive")
        return [self._inferred(request) for request in requests]

    def _inferred(self, request: Request) -> Inferred:
        channels = len(request.payload) // 2 if request.prefix else 4
        if channels == 0:
            return Inferred(None, 0)
        rest = (0,) * (self.classes - 2)
        return Inferred(np.array([len(request.payload), request.payload[0], *rest], np.int16), channels)


@contextlib.contextmanager
def running(remote: FakeRemote, limits: BatchLimits | None = None, packing: str = "") -> Iterator[int]:
    """The port of a service in a thread; stopped at the end."""
    stop, ports = Stop(), []
    ready = threading.Event()

    def announce(port: int) -> None:
        ports.append(port)
        ready.set()

    service = Service(remote, HASH, limits or BatchLimits(), packing)
    thread = threading.Thread(
        target=lambda: asyncio.run(run_service(service, "127.0.0.1", 0, announce, stop))
    )
    thread.start()
    try:
        assert ready.wait(10)
        yield ports[0]
    finally:
        stop.request()
        thread.join(10)
        assert not thread.is_alive()


def main() -> None:
    """`python -m hil_tests.unit.server.fake_remote MODE`: what a child may be like."""
    mode = sys.argv[1]
    if mode == "broken":
        sys.exit("no such bundle")
    if mode == "mute":
        time.sleep(60)
    stop = Stop()
    watch_parent(stop.orphaned)
    if mode == "slow":
        time.sleep(0.5)
        print("some library chatters", flush=True)

    def announce(port: int) -> None:
        print(ready_line(port), flush=True)
        print("loaded", file=sys.stderr, flush=True)

    remote = FakeRemote(classes=4 if mode == "four" else 2)
    asyncio.run(run_service(Service(remote, HASH), "127.0.0.1", 0, announce, stop))


if __name__ == "__main__":
    main()
