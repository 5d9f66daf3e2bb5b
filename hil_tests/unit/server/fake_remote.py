"""A server half without a network, a service of it in a thread, and one as a program of its own."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from hil_tests.patience import PATIENCE_S, eventually
from numpy.typing import NDArray

from hil.errors import CodecError
from hil.server.answer import Request
from hil.server.app import Stop, run_service
from hil.server.limits import Limits
from hil.server.options import Bound, ServeOptions
from hil.server.orphan import watch_parent
from hil.server.process import ready_line
from hil.server.remote import Decoded
from hil.server.service import Service
from hil.server.tokens import Tokens

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
    chatters: bool = False
    """Says when it infers."""
    asked: int = 0
    """Payloads that decoding has begun with."""

    def warm_up(self) -> None:
        pass

    payload_max: int = 1000

    def decode_request(self, request: Request) -> Decoded:
        self.asked += 1
        if request.payload == b"bad":
            raise CodecError("the payload holds the impossible code 9")
        if request.prefix and not self.progressive:
            raise CodecError("the bundle is not progressive")
        channels = len(request.payload) // 2 if request.prefix else 4
        if channels == 0:
            return Decoded(None, 0)
        boom = request.payload == b"boom"
        return Decoded(np.array([len(request.payload), request.payload[0], boom], np.float32), channels)

    def logits(self, values: list[NDArray[np.float32]]) -> NDArray[np.int16]:
        self.batches.append(len(values))
        if self.chatters:
            print("infers", file=sys.stderr, flush=True)
        if self.hold is not None:
            self.hold.wait(PATIENCE_S)
        time.sleep(self.seconds)
        if any(value[2] for value in values):
            raise RuntimeError("shapes do not match")
        rest = (0,) * (self.classes - 2)
        return np.array([[*value[:2], *rest] for value in values], np.int16)


@contextlib.contextmanager
def running(
    remote: FakeRemote,
    limits: Limits | None = None,
    packing: str = "",
    *,
    tokens: Tokens | None = None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[int]:
    """The port of a service in a thread; stopped at the end."""
    with serving(Service(remote, HASH, limits or Limits(), packing, tokens, tls)) as bound:
        yield bound.port


@contextlib.contextmanager
def serving(service: Service, options: ServeOptions | None = None) -> Iterator[Bound]:
    """Where `service` listens, in a thread; stopped at the end."""
    stop, found = Stop(), []
    ready = threading.Event()

    def announce(bound: Bound) -> None:
        found.append(bound)
        ready.set()

    run = run_service(service, options or ServeOptions(), announce, stop)
    thread = threading.Thread(target=lambda: asyncio.run(run))
    thread.start()
    try:
        assert ready.wait(PATIENCE_S)
        yield found[0]
    finally:
        stop.request()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def await_taken(service: Service, count: int) -> None:
    """Returns when `count` requests have been taken that nobody has answered, and the first is inferred."""
    remote = service.remote
    assert isinstance(remote, FakeRemote)
    eventually(lambda: service.batcher._pending >= count and remote.batches, f"{count} were never taken")


def main() -> None:
    """`python -m hil_tests.unit.server.fake_remote MODE`: what a child may be like."""
    mode = sys.argv[1]
    if mode == "broken":
        sys.exit("no such bundle")
    if mode == "mute":
        time.sleep(PATIENCE_S)
    stop = Stop()
    watch_parent(stop.orphaned)
    if mode == "slow":
        time.sleep(0.5)
        print("some library chatters", flush=True)

    def announce(bound: Bound) -> None:
        print(ready_line(bound), flush=True)
        print("loaded", file=sys.stderr, flush=True)

    seconds = {"lame": 1.0, "hung": PATIENCE_S}.get(mode, 0.0)
    remote = FakeRemote(classes=4 if mode == "four" else 2, seconds=seconds, chatters=seconds > 0)
    asyncio.run(run_service(Service(remote, HASH), ServeOptions(), announce, stop))


if __name__ == "__main__":
    main()
