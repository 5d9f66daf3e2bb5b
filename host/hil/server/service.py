"""The server half on a socket: lets in whom it knows, keeps the books, and leaves in good order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
from dataclasses import dataclass, field

from hil.server.batching import Batcher
from hil.server.gate import Gate
from hil.server.limits import Limits
from hil.server.protocol import SERVER_PROTOCOL_VERSION, Hello, Refusal
from hil.server.remote import Remote
from hil.server.session import Session
from hil.server.stats import ServerStats
from hil.server.tokens import Tokens
from hil.wire.authentic import device_key

LOG = logging.getLogger("hil.server")

_SWEEP_S = 0.25
_SPARE = 64
"""Connections above the limit that live long enough to be told so."""
_BACKLOG = 1024
_GOODBYE_S = 1.0
"""So long may the last words to all clients take."""
_LOG_GAP_S = 1.0
"""Between two lines about connections that became no session: strangers must not fill a disk."""


@dataclass(eq=False)
class Service:
    """One bundle's server half. Start it inside a running event loop."""

    remote: Remote
    bundle_hash: bytes
    limits: Limits = field(default_factory=Limits)
    packing: str = ""
    """How it wants payloads packed, for whoever has another bundle."""
    tokens: Tokens | None = None
    """Who is let in; None: everybody."""
    tls: ssl.SSLContext | None = None
    device_key: bytes | None = field(default=None, repr=False)
    """Of all devices, where whoever started the server gave one; else each has its token's."""

    def __post_init__(self) -> None:
        self.stats = ServerStats()
        self.batcher = Batcher(self.remote, self.limits, self.stats)
        self.draining = False
        self._gate = Gate()
        self._sessions: set[Session] = set()
        self._refusal_logged_s = -_LOG_GAP_S
        self._refusals = 0

    @property
    def sessions(self) -> list[Session]:
        """Those who have been let in and are still there."""
        return [session for session in list(self._sessions) if session.greeted and session.alive]

    async def start(self, host: str, port: int) -> int:
        """Listens on `host`; returns the port, which the system picks when `port` is 0. Raises OSError."""
        self.loop = asyncio.get_running_loop()
        handshake_s = None if self.tls is None else self.limits.hello_s
        self._server = await self.loop.create_server(
            lambda: Session(self),
            host,
            port,
            ssl=self.tls,
            ssl_handshake_timeout=handshake_s,
            backlog=_BACKLOG,
            start_serving=False,
        )
        await self.batcher.start()
        await self._server.start_serving()
        self._sweeper = asyncio.create_task(self._sweep())
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """No new connections, DRAINING to new requests, answers to those that were taken, then the end."""
        self.draining = True
        self._server.close()
        if not await self.batcher.drain(self.limits.drain_s):
            LOG.warning("stopped with requests unanswered after %g s", self.limits.drain_s)
        for session in list(self._sessions):
            session.end("drained", "the server is shutting down")
        until_s = time.monotonic() + _GOODBYE_S
        while self._sessions and time.monotonic() < until_s:
            await asyncio.sleep(0.01)
        for session in list(self._sessions):
            session.abort()
        self._sweeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._sweeper
        self.batcher.close()
        answers = ", ".join(f"{count} {name.lower()}" for name, count in sorted(self.stats.answers.items()))
        LOG.info("stopped: %s", answers or "nothing was asked")

    def arrived(self, session: Session) -> bool:
        """A connection is there; whether there is a place for it."""
        if not self._gate.admits(session.address, time.monotonic()):
            self._no_session(session, "rate")
            return False
        if len(self._sessions) >= self.limits.connections_max + _SPARE or self.draining:
            self.refused(session, Refusal.DRAINING if self.draining else Refusal.FULL)
            return False
        self.stats.connections += 1
        self._sessions.add(session)
        return True

    def refusal(self, version: int) -> tuple[Refusal, str] | None:
        """Why nobody of that protocol is let in now; None: somebody may be."""
        if version != SERVER_PROTOCOL_VERSION:
            spoken = f"the server speaks protocol {SERVER_PROTOCOL_VERSION}, the client {version}"
            return Refusal.PROTOCOL, spoken
        if self.draining:
            return Refusal.DRAINING, "the server is shutting down"
        return None

    def welcome(self, hello: Hello) -> tuple[Refusal, str] | None:
        """Why this one is not let in; None: it is. Strangers are not told what is served here."""
        if self.tokens is not None and not self.tokens.admits(hello.name, hello.token):
            return Refusal.TOKEN, "the server does not know this name and token"
        if hello.bundle_hash != self.bundle_hash:
            served, wanted = self.bundle_hash.hex()[:12], hello.bundle_hash.hex()[:12]
            words = f"the server serves bundle {served}, not {wanted}"
            return Refusal.BUNDLE, words + (f"; its payloads are {self.packing}" if self.packing else "")
        if self.batcher.sessions >= self.limits.connections_max:
            return Refusal.FULL, f"the server has {self.limits.connections_max} sessions"
        return None

    def key_of(self, device: str) -> bytes | None:
        """The key of a device that was let in; None where it has neither a key nor a token."""
        token = self.tokens.tokens.get(device) if self.tokens is not None else None
        return self.device_key or (device_key(token) if token else None)

    def begun(self, session: Session) -> None:
        """A session is let in."""
        self.batcher.sessions += 1
        LOG.debug("session %s from %s", session.stats.device, session.stats.peer)

    def ended(self, session: Session, reason: str) -> None:
        """A connection comes to its end, or has come to it."""
        self.batcher.forget(session)
        if not session.greeted:
            self._no_session(session, reason)
            return
        self.batcher.sessions -= 1
        self.stats.ended[reason] += 1
        stats = session.stats
        LOG.info("session %s from %s ended, %s: %s", stats.device, stats.peer, reason, stats.line())

    def refused(self, session: Session, refusal: Refusal) -> None:
        """A client is not let in."""
        if refusal is Refusal.TOKEN:
            self._gate.guessed_wrong(session.address, time.monotonic())
        self._no_session(session, refusal.name.lower())

    def gone(self, session: Session) -> None:
        """Its connection is closed."""
        self._sessions.discard(session)

    def _no_session(self, session: Session, reason: str) -> None:
        self.stats.refused[reason] += 1
        self._refusals += 1
        now_s = time.monotonic()
        if now_s - self._refusal_logged_s >= _LOG_GAP_S:
            LOG.info("no session for %s: %s (%d so far)", session.stats.peer, reason, self._refusals)
            self._refusal_logged_s = now_s

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_S)
            now_s = time.monotonic()
            for session in list(self._sessions):
                session.sweep(now_s)
