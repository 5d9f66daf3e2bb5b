"""The session's line to the server half: it never raises, it says what became of a request."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from hil.errors import ServerError
from hil.measure.source import Source
from hil.server.answer import Answer, Connection, KeyedConnection, Server, Stamp, Status
from hil.session.bus import Bus
from hil.session.events import ServerLost
from hil.wire.protocol import NONCE_BYTES

_RECONNECT_S = 0.5
_LEAST_S = 0.05


@dataclass(frozen=True)
class Relayed:
    """What the server half made of one payload. `logits` is None when it made nothing of it."""

    logits: tuple[int, ...] | None
    seconds: float
    detail: str = ""
    channels: int = 0
    """How many of the payload's channels the logits rest on."""
    tag: bytes = b""
    """By the server half, where a stamp was asked for."""
    part_bytes: int | None = None
    """How many of a payload's first bytes were asked about; None for all."""


class Relay:
    """Asks the server; a lost server is reported once, and looked for again at every request."""

    def __init__(
        self, server: Server | None, bundle_hash: bytes, classes: int, bus: Bus, fixed_s: float | None
    ) -> None:
        self._server = server
        self._classes = classes
        self._bundle_hash = bundle_hash
        self._bus = bus
        self._fixed_s = fixed_s
        self._connection: Connection | None = None
        self._reported = False
        self._last_s = 0.0
        self._nonces: tuple[bytes, bytes] | None = None
        """The device's and the server half's, of a session whose replies are authenticated."""

    @property
    def source(self) -> Source:
        """Where the server's time comes from."""
        return Source.MEASURED_HOST if self._fixed_s is None else Source.MODELLED

    @property
    def expected_s(self) -> float:
        """What the next answer will take: the fixed time, else the last one's."""
        return self._last_s if self._fixed_s is None else self._fixed_s

    def open(self, timeout_s: float) -> None:
        """Waits for the server. Raises ServerError: a run that never had a server is a mistake."""
        if self._server is not None:
            self._connection = self._server.connect(self._bundle_hash, timeout_s)

    def begin(self, device_nonce: bytes, timeout_s: float) -> bytes:
        """Begins a session of the device, which wants authentic replies; returns the server half's nonce.

        A server that is lost meanwhile is told both nonces when it comes back: then one of our own does.
        Raises ServerError when there is none for the first session, or it has no key of this device.
        """
        first = self._nonces is None
        self._nonces = None
        try:
            server_nonce = _keyed(self._connected(timeout_s)).begin(device_nonce, b"", timeout_s)
        except ServerError as error:
            if first:
                raise
            self._lose(error)
            server_nonce = secrets.token_bytes(NONCE_BYTES)
        self._nonces = (device_nonce, server_nonce)
        return server_nonce

    def ask(
        self, payload: bytes, timeout_s: float, *, prefix: bool = False, stamp: Stamp | None = None
    ) -> Relayed:
        """The server's logits and its time in seconds, measured or the fixed one.

        With `prefix` only a payload's first bytes are there; that no channel is complete in them is no
        issue of the run. With a `stamp` the answer has a tag, unless nobody of the server half gave one.
        """
        began_s = time.monotonic()
        part_bytes = len(payload) if prefix else None
        try:
            answer = self._request(payload, timeout_s, prefix, stamp)
        except ServerError as error:
            self._lose(error)
            return Relayed(None, self._waited_s(began_s), error.message)
        if answer.status is Status.EMPTY:
            return Relayed(None, 0.0, answer.status.name, tag=answer.tag, part_bytes=part_bytes)
        if answer.status is not Status.OK:
            detail = f"{answer.status.name}: {answer.detail}" if answer.detail else answer.status.name
            code = f"server-{answer.status.name.lower()}"
            self._bus.warn_once(code, f"the server half answered {detail}", "the sample fell back")
            return Relayed(None, 0.0, detail, tag=answer.tag, part_bytes=part_bytes)
        if len(answer.logits) != self._classes:
            detail = f"{len(answer.logits)} logits for {self._classes} classes"
            self._bus.warn_once("server-length", f"the server half answered {detail}", "the sample fell back")
            return Relayed(None, 0.0, detail)
        seconds = answer.server_us / 1e6 if self._fixed_s is None else self._fixed_s
        self._last_s = seconds
        return Relayed(answer.logits, seconds, "", answer.channels, answer.tag, part_bytes)

    def _waited_s(self, began_s: float) -> float:
        """For an answer that did not come; where there is nobody to wait for, no time passes."""
        if self._server is None:
            return 0.0
        return time.monotonic() - began_s if self._fixed_s is None else self._fixed_s

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _request(self, payload: bytes, timeout_s: float, prefix: bool, stamp: Stamp | None) -> Answer:
        until_s = time.monotonic() + timeout_s
        if self._connection is not None:
            try:
                return _infer(self._connection, payload, timeout_s, prefix, stamp)
            except ServerError:  # restarted meanwhile, perhaps: a new connection is worth the time left
                self.close()
                if until_s - time.monotonic() < _LEAST_S:
                    raise
        connection = self._connected(min(until_s - time.monotonic(), _RECONNECT_S))
        answer = _infer(connection, payload, max(_LEAST_S, until_s - time.monotonic()), prefix, stamp)
        self._bus.warn_once("server-back", "the server half was lost, and answers again")
        return answer

    def _connected(self, timeout_s: float) -> Connection:
        if self._server is None:
            raise ServerError("this run has no server half", "start it without turning the server off")
        if self._connection is None:
            self._connection = self._server.connect(self._bundle_hash, timeout_s)
            if self._nonces is not None:
                _keyed(self._connection).begin(*self._nonces, timeout_s)
        return self._connection

    def _lose(self, error: ServerError) -> None:
        self.close()
        if not self._reported:
            self._reported = True
            self._bus.emit(ServerLost(error.message))


def _infer(
    connection: Connection, payload: bytes, timeout_s: float, prefix: bool, stamp: Stamp | None
) -> Answer:
    if stamp is None:
        return connection.infer(payload, timeout_s, prefix=prefix)
    return _keyed(connection).infer(payload, timeout_s, prefix=prefix, stamp=stamp)


def _keyed(connection: Connection) -> KeyedConnection:
    if not isinstance(connection, KeyedConnection):
        raise ServerError("this server half cannot make its replies authentic", "leave --authenticate out")
    return connection
