"""A TCP proxy between client and server half that sees their messages one by one."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Final

from hil.server.protocol import LENGTH, Kind

Hook = Callable[[Kind | None, bytes], bytes | None]
"""From a message's kind and all its bytes to what is passed on; None: nothing, and never again."""

_TIMEOUT_S: Final = 5.0
_BACKLOG: Final = 16


class Proxy:
    """Passes on what both sides say. Its hooks run in threads of its own, while the session waits."""

    def __init__(self, asked: Hook, answered: Hook) -> None:
        self._asked = asked
        self._answered = answered
        self._target = 0
        self._detour: int | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        threading.Thread(target=self._listen, name="hil-fault-proxy", daemon=True).start()

    def via(self, port: int) -> int:
        """The port that leads to `port` from now on."""
        self._target = port
        bound: int = self._listener.getsockname()[1]
        return bound

    def detour(self, port: int | None) -> None:
        """New connections lead to `port` instead, until it is None."""
        self._detour = port

    def drop(self) -> None:
        """Ends all connections, as a server does that is restarted."""
        with self._lock:
            ended, self._open = self._open, set()
        for end in ended:
            _end(end)

    def close(self) -> None:
        """Listens no more, and ends all connections."""
        _end(self._listener)
        self.drop()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._detour or self._target), _TIMEOUT_S)
        except OSError:
            _end(client)
            return
        server.settimeout(None)
        with self._lock:
            self._open |= {client, server}
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ways = ((client, server, self._asked), (server, client, self._answered))
        for way in ways:
            threading.Thread(target=_pass, args=way, daemon=True).start()


def _pass(source: socket.socket, sink: socket.socket, hook: Hook) -> None:
    """Message by message, until one side ends or the hook is silent."""
    with contextlib.suppress(OSError, EOFError):
        while True:
            begin = _read(source, LENGTH.size)
            message = begin + _read(source, LENGTH.unpack(begin)[0])
            first = message[LENGTH.size : LENGTH.size + 1]
            kind = Kind(first[0]) if first and first[0] in list(Kind) else None
            passed = hook(kind, message)
            if passed is None:
                return  # both ends stay open
            sink.sendall(passed)
    _end(sink)
    _end(source)


def _read(source: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        piece = source.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)


def _end(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        end.close()
