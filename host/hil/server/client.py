"""A synchronous client of the server half. Every call has a time limit."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from dataclasses import replace

from hil.errors import ProtocolError, ServerError
from hil.redaction import redacted
from hil.server.answer import Answer, Request, Stamp
from hil.server.protocol import (
    LENGTH,
    Hello,
    Kind,
    Refusal,
    ServerFrame,
    frame_length,
    pack_begin,
    pack_frame,
    pack_hello,
    pack_request,
    parse_answer,
    parse_begun,
    parse_frame,
    parse_refusal,
    shown,
)
from hil.server.tls import Trust
from hil.server.tokens import Credential

DEVICE = "hil run"
"""The name of a device that shows no token."""

_HINTS = {
    Refusal.PROTOCOL: "use the same hil on both sides",
    Refusal.BUNDLE: "serve the bundle that this run uses, with the same --codec",
    Refusal.TOKEN: "give --token-file, or name:token in HIL_TOKEN; `hil serve --new-token NAME` makes one",
    Refusal.FULL: "wait until other sessions have ended, or serve with a larger --connections-max",
    Refusal.DRAINING: "start it again",
}
_TLS_ALERT = b"\x15\x03"
"""What a TLS server says first to somebody who does not speak TLS."""


class Client:
    """One connection. After a ServerError it is closed for good; make another."""

    def __init__(
        self,
        host: str,
        port: int,
        bundle_hash: bytes,
        timeout_s: float,
        *,
        credential: Credential | None = None,
        trust: Trust | None = None,
    ) -> None:
        """Connects, by TLS where `trust` is given, and agrees on the bundle.

        Raises ServerError, also when the server refuses, and UsageError when `trust` names no certificates.
        """
        self._where = f"{host}:{port}"
        self._request = 0
        self._greeted = False
        self._early = b""
        until_s = time.monotonic() + timeout_s
        try:
            self._socket = socket.create_connection((host, port), timeout_s)
        except OSError as error:
            raise ServerError(
                f"there is no server at {self._where}: {error}", "start one with `hil serve`"
            ) from None
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if trust is not None:
            self._secure(trust, host, until_s)
        name, token = (credential.name, credential.token) if credential else (DEVICE, "")
        self._secure_line = trust is not None
        self._token = token
        answer = self._exchange(pack_hello(Hello(bundle_hash, name, token)), until_s)
        self._greeted = True
        if answer.kind is Kind.REFUSED:
            self.close()
            code, reason = parse_refusal(answer.body)
            reason = redacted(reason, [self._token])
            hint = "" if code is None else _HINTS[code]
            raise ServerError(f"the server at {self._where} refused: {reason}", hint)
        if answer.kind is not Kind.WELCOME:
            raise self._gone(ProtocolError(f"it greets with {answer.kind.name}"))

    def begin(self, device_nonce: bytes, server_nonce: bytes, timeout_s: float) -> bytes:
        """Begins a device's session, with a nonce of the server's unless one is given; returns that.

        Raises ServerError, also when the server has no key of this device.
        """
        until_s = time.monotonic() + timeout_s
        frame = self._exchange(pack_begin(device_nonce, server_nonce), until_s)
        while frame.kind is not Kind.BEGUN:
            frame = self._receive(until_s)
        try:
            nonce = parse_begun(frame.body)
        except ProtocolError as error:
            raise self._gone(error) from None
        if not nonce:
            hint = "show it a token, or leave --authenticate out"
            raise ServerError(f"the server at {self._where} has no key of this device", hint)
        return nonce

    def infer(
        self, payload: bytes, timeout_s: float, *, prefix: bool = False, stamp: Stamp | None = None
    ) -> Answer:
        """The answer to `payload`, or to the `prefix` of one; with a `stamp` it has a tag.

        Raises ServerError when none came within `timeout_s` seconds.
        """
        until_s = time.monotonic() + timeout_s
        self._request = (self._request + 1) & 0xFFFF_FFFF
        frame = self._exchange(pack_request(self._request, Request(payload, prefix, stamp)), until_s)
        while True:
            if frame.kind is Kind.ANSWER:
                request, answer = self._parsed(frame)
                if request == self._request:
                    return answer
            frame = self._receive(until_s)

    def ping(self, timeout_s: float) -> float:
        """Seconds to the server and back. Raises ServerError when it does not answer in time."""
        began_s = time.monotonic()
        frame = self._exchange(pack_frame(Kind.PING), began_s + timeout_s)
        while frame.kind is not Kind.PONG:
            frame = self._receive(began_s + timeout_s)
        return time.monotonic() - began_s

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()

    def _secure(self, trust: Trust, host: str, until_s: float) -> None:
        """TLS on the open connection, to whom `trust` says."""
        try:
            self._socket.settimeout(_left(until_s))
            self._socket = trust.wrap(self._socket, host)
        except ssl.SSLCertVerificationError as error:
            self.close()
            reason = getattr(error, "verify_message", "") or str(error)
            raise ServerError(
                f"the server at {self._where} is not trusted: {reason}",
                "give --tls-fingerprint, which the server prints, or the --tls-ca that signed",
            ) from None
        except OSError as error:
            self.close()
            raise ServerError(
                f"the server at {self._where} does not speak TLS: {error}",
                "leave --tls-ca and --tls-fingerprint out, or serve with --self-signed",
            ) from None

    def _exchange(self, data: bytes, until_s: float) -> ServerFrame:
        while self._is_early():
            self._receive(until_s)  # an answer that nobody waits for any more, or a goodbye, which raises
        try:
            self._socket.settimeout(_left(until_s))
            self._socket.sendall(data)
        except OSError as error:
            raise self._gone(error) from None
        return self._receive(until_s)

    def _is_early(self) -> bool:
        """Whether the server said something unasked: to send on would make the system forget what it was."""
        try:
            self._socket.settimeout(0)
            self._early += self._socket.recv(4096)
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except OSError as error:
            raise self._gone(error) from None
        return bool(self._early)

    def _receive(self, until_s: float) -> ServerFrame:
        try:
            begin = self._read(LENGTH.size, until_s)
            if begin[: len(_TLS_ALERT)] == _TLS_ALERT:
                self.close()
                hint = "give --tls-fingerprint, which the server prints, or --tls-ca"
                raise ServerError(f"the server at {self._where} speaks TLS only", hint)
            frame = parse_frame(self._read(frame_length(begin), until_s))
        except (OSError, EOFError, ProtocolError) as error:
            raise self._gone(error) from None
        if frame.kind is Kind.GOODBYE:
            raise self._gone(EOFError(redacted(shown(frame.body), [self._token])))
        return frame

    def _parsed(self, frame: ServerFrame) -> tuple[int, Answer]:
        try:
            number, answer = parse_answer(frame.body)
        except ProtocolError as error:
            raise self._gone(error) from None
        detail = redacted(answer.detail, [self._token]) if answer.detail else ""
        return number, replace(answer, detail=detail)

    def _read(self, size: int, until_s: float) -> bytes:
        data, self._early = bytearray(self._early[:size]), self._early[size:]
        while len(data) < size:
            self._socket.settimeout(_left(until_s))
            piece = self._socket.recv(size - len(data))
            if not piece:
                raise EOFError("it closed the connection")
            data += piece
        return bytes(data)

    def _gone(self, error: Exception) -> ServerError:
        self.close()
        if isinstance(error, EOFError | ConnectionError) and not self._greeted and not self._secure_line:
            hint = "a TLS server does so: give --tls-fingerprint, which it prints, or --tls-ca"
            return ServerError(f"the server at {self._where} hung up without a greeting", hint)
        reason = "it did not answer in time" if isinstance(error, TimeoutError) else str(error)
        return ServerError(
            f"the server at {self._where} is gone: {reason}", "see server.log in the run folder"
        )


def _left(until_s: float) -> float:
    left_s = until_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s
