"""The socket of a twin on the desk: one client at a time, on the loopback interface."""

from __future__ import annotations

import contextlib
import hmac
import secrets
import socket
from collections.abc import Callable

from hil.errors import HilError, ProtocolError
from hil.probe import protocol as p

RECEIVE_BYTES = 1 << 16
SEND_TIMEOUT_S = 5.0
MESSAGES_IN_A_ROW = 64
"""The core must get on while a client floods the socket."""

Handler = Callable[[p.Kind, bytes], bytes]


class DeskServer:
    """Hands complete messages of an authenticated client to `handle`, which returns the answer.

    What is malformed, and a HilError, end or answer that client; the desk goes on.
    """

    def __init__(self, handle: Handler, on_leave: Callable[[], None]) -> None:
        self._handle = handle
        self._on_leave = on_leave
        self.token = secrets.token_hex(32)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._client: socket.socket | None = None
        self._inbox = p.Inbox()
        self._trusted = False

    @property
    def busy(self) -> bool:
        """A client has shown the token."""
        return self._trusted

    def descriptors(self) -> list[int]:
        """What becomes readable when there is something to do."""
        return [s.fileno() for s in (self._listener, self._client) if s is not None]

    def serve(self) -> bool:
        """Does all that has come, without waiting; whether there was anything."""
        did = False
        for _ in range(MESSAGES_IN_A_ROW):
            if self._client is None or not self._listen_to(self._client):
                break
            did = True
        return self._accept() or did  # in this order: who hung up makes place for who calls

    def close(self) -> None:
        """Hangs up and stops listening."""
        self._drop()
        self._listener.close()

    def _listen_to(self, client: socket.socket) -> bool:
        try:
            data = client.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if data:
            self._inbox.add(data)
            self._answer_all(client)
        else:
            self._drop()
        return True

    def _accept(self) -> bool:
        try:
            caller = self._listener.accept()[0]
        except BlockingIOError:
            return False
        if self._client is not None and self._trusted:
            with contextlib.suppress(OSError):
                self._refuse(caller, "the twin is busy: another program uses its probe", "end that one first")
            caller.close()
            return True
        self._drop()  # a caller that has not shown the token must not keep others out
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        caller.setblocking(False)
        self._client = caller
        return True

    def _answer_all(self, client: socket.socket) -> None:
        try:
            while self._client is client and (message := self._inbox.take()) is not None:
                self._answer(client, *message)
        except ProtocolError as error:
            with contextlib.suppress(OSError):
                self._refuse(client, error.message, error.hint)
            self._drop()
        except OSError:
            self._drop()

    def _answer(self, client: socket.socket, kind: p.Kind, body: bytes) -> None:
        if not self._trusted:
            self._greet(kind, body)
            answer = p.pack_json({"version": p.VERSION})
        else:
            try:
                answer = self._handle(kind, body)
            except ProtocolError:
                raise
            except HilError as error:
                self._refuse(client, error.message, error.hint)
                return
        self._send(client, p.pack_message(p.Kind.ANSWER, answer))

    def _greet(self, kind: p.Kind, body: bytes) -> None:
        if kind is not p.Kind.HELLO:
            raise ProtocolError("the first message must be HELLO")
        hello = p.unpack_json(body)
        if hello.get("version") != p.VERSION:
            raise ProtocolError(
                f"version {hello.get('version')!r} of the protocol; this twin speaks {p.VERSION}",
                "use the hil that started the twin",
            )
        if not hmac.compare_digest(str(hello.get("token")).encode(), self.token.encode()):
            raise ProtocolError("wrong token", "read it from the entry in the cache folder")
        self._trusted = True

    def _refuse(self, client: socket.socket, message: str, hint: str) -> None:
        self._send(client, p.pack_message(p.Kind.REFUSED, p.pack_json({"message": message, "hint": hint})))

    def _send(self, client: socket.socket, data: bytes) -> None:
        client.settimeout(SEND_TIMEOUT_S)
        try:
            client.sendall(data)
        finally:
            client.setblocking(False)

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
        self._inbox = p.Inbox()
        if self._trusted:
            self._trusted = False
            self._on_leave()
