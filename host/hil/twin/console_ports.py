"""What a serial port of the twin can be connected to on the host. Reading never blocks."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import termios
import tty
from typing import Any, BinaryIO, Protocol

from hil.errors import UsageError

READ_BYTES = 4096


class Port(Protocol):
    """The host's side of one connection."""

    where: str
    """What a user connects to, "" when there is nothing to connect to."""

    def descriptors(self) -> list[int]:
        """What becomes readable when input comes."""
        ...

    def read(self) -> bytes:
        """What has come since; b"" when nothing has."""
        ...

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


def open_port(kind: str, stdin: BinaryIO, stdout: BinaryIO) -> Port:
    """The connection that "stdio", "pty" or "tcp:PORT" names. Raises UsageError."""
    if kind == "stdio":
        return StdioPort(stdin, stdout)
    if kind == "pty":
        return PtyPort()
    name, _, number = kind.partition(":")
    if name == "tcp" and number.isdigit() and int(number) <= 65535:
        return TcpPort(int(number))
    raise UsageError(f"unknown connection {kind!r}", "use stdio, pty or tcp:PORT")


class StdioPort:
    """The terminal: keys go to the port one by one, and Ctrl-C still ends the run."""

    where = ""

    def __init__(self, stdin: BinaryIO, stdout: BinaryIO) -> None:
        self._stdout = stdout
        self._input: int | None = None
        self._saved: list[Any] | None = None
        with contextlib.suppress(OSError, ValueError):  # tests and services have no real stdin
            self._input = stdin.fileno()
        if self._input is not None and os.isatty(self._input):
            self._saved = termios.tcgetattr(self._input)
            tty.setcbreak(self._input)

    def descriptors(self) -> list[int]:
        return [] if self._input is None else [self._input]

    def read(self) -> bytes:
        if self._input is None or not select.select([self._input], [], [], 0)[0]:
            return b""
        data = os.read(self._input, READ_BYTES)
        if not data:  # the end of a pipe or file: readable for ever, with nothing in it
            self.close()
        return data

    def write(self, data: bytes) -> None:
        self._stdout.write(data)
        self._stdout.flush()

    def close(self) -> None:
        if self._saved is not None and self._input is not None:
            termios.tcsetattr(self._input, termios.TCSADRAIN, self._saved)
        self._saved = self._input = None


class PtyPort:
    """A pseudo-terminal that any serial program opens."""

    def __init__(self) -> None:
        self._host, self._device = os.openpty()
        tty.setraw(self._device)
        os.set_blocking(self._host, False)
        self.where = os.ttyname(self._device)

    def descriptors(self) -> list[int]:
        return [self._host]

    def read(self) -> bytes:
        with contextlib.suppress(BlockingIOError):
            return os.read(self._host, READ_BYTES)
        return b""

    def write(self, data: bytes) -> None:
        with contextlib.suppress(BlockingIOError):  # nobody reads: a serial line drops it too
            os.write(self._host, data)

    def close(self) -> None:
        os.close(self._host)
        os.close(self._device)


class TcpPort:
    """A socket on the loopback interface for one client at a time."""

    def __init__(self, number: int) -> None:
        self._server = socket.create_server(("127.0.0.1", number))
        self._server.setblocking(False)
        self._client: socket.socket | None = None
        self.where = f"127.0.0.1:{self._server.getsockname()[1]}"

    def descriptors(self) -> list[int]:
        return [(self._client or self._server).fileno()]

    def read(self) -> bytes:
        if self._client is None:
            with contextlib.suppress(BlockingIOError):
                self._client = self._server.accept()[0]
                self._client.setblocking(False)
        if self._client is None:
            return b""
        try:
            data = self._client.recv(READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self._drop()
        return data

    def write(self, data: bytes) -> None:
        if self._client is not None:
            try:
                self._client.sendall(data)
            except OSError:
                self._drop()

    def close(self) -> None:
        self._drop()
        self._server.close()

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
