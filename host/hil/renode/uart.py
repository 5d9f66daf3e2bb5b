"""The wire to the emulated USART: a socket towards the device, a file from it.

A file, because Renode writes it while the firmware runs: after a step all bytes are there, every
time. What a socket brings depends on Renode's threads, and two runs would differ.
"""

from __future__ import annotations

import contextlib
import socket
import time
from pathlib import Path
from typing import Final

from hil.errors import BoardError

SETTLE_S: Final = 0.002
"""From Renode's thread having read the last byte to the byte being queued for the machine."""

_TAKE_LIMIT_S: Final = 30.0
_POLL_S: Final = 0.0005
_TABLES: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_BLIND_S: Final = 0.01
_BLIND_BYTE_S: Final = 20e-6
"""Where the system does not show its queues: a pause, and more for every byte."""


class UartWire:
    """One USART of a Renode on this machine."""

    def __init__(self, port: int, sent: Path) -> None:
        """Raises BoardError when Renode does not listen on `port`."""
        try:
            self._socket = socket.create_connection(("127.0.0.1", port), timeout=_TAKE_LIMIT_S)
        except OSError as error:
            raise BoardError(
                f"Renode's UART cannot be reached on port {port}: {error.strerror or error}",
                "another program may have taken the port; try again",
            ) from None
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._ports = (port, int(self._socket.getsockname()[1]))
        self._sent = sent
        self._place = 0

    def send(self, data: bytes) -> None:
        """Gives `data` to Renode and returns when it has taken it. Raises BoardError."""
        try:
            self._socket.settimeout(_TAKE_LIMIT_S)
            self._socket.sendall(data)
        except OSError as error:
            raise BoardError(f"Renode closed its UART: {error.strerror or error}", "see renode.log") from None
        deadline_s = time.monotonic() + _TAKE_LIMIT_S
        while (waiting := bytes_on_the_way(*self._ports)) != 0:
            if waiting is None:
                time.sleep(_BLIND_S + len(data) * _BLIND_BYTE_S)
                return
            if time.monotonic() >= deadline_s:
                raise BoardError(f"Renode left {waiting} bytes for its UART unread", "see renode.log")
            time.sleep(_POLL_S)
        time.sleep(SETTLE_S)

    def take(self) -> bytes:
        """What the device has sent since the last call."""
        self._drain()
        try:
            with self._sent.open("rb") as file:
                file.seek(self._place)
                data = file.read()
        except FileNotFoundError:
            return b""
        self._place += len(data)
        return data

    def close(self) -> None:
        self._socket.close()

    def _drain(self) -> None:
        """The socket brings the same bytes as the file; left in it they would block Renode's thread."""
        self._socket.setblocking(False)
        with contextlib.suppress(OSError):
            while self._socket.recv(65536):
                pass


def bytes_on_the_way(server_port: int, client_port: int) -> int | None:
    """Bytes from client to server that the server has not read yet; None where nobody tells."""
    seen, total = False, 0
    for table in _TABLES:
        try:
            lines = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            local, remote = (int(field.rpartition(":")[2], 16) for field in fields[1:3])
            unsent, unread = (int(size, 16) for size in fields[4].split(":"))
            if (local, remote) == (server_port, client_port):
                seen, total = True, total + unread
            elif (local, remote) == (client_port, server_port):
                total += unsent
    return total if seen else None
