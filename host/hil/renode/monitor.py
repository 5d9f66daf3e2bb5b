"""A client of Renode's Monitor: one command at a time, its reply, and Renode's errors as ours."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from typing import Final

from hil.errors import BoardError
from hil.renode.complaints import as_error, complaint
from hil.renode.telnet import TelnetDecoder, cut_reply

NO_MACHINE: Final = "monitor"
COMMAND_LIMIT_S: Final = 60.0
"""Beyond it, Renode is taken to hang. One that ended is noticed at once."""

_POLL_S: Final = 0.1
_QUIET_S: Final = 0.5
"""After so long without a byte, a prompt counts even when no echo was seen."""

_TRANSCRIPT_MAX: Final = 1 << 20


class Monitor:
    """The telnet port of a Renode that is starting or runs.

    `check` raises BoardError when Renode is known to have ended; it is asked while waiting.
    """

    def __init__(self, port: int, machine: str, check: Callable[[], None]) -> None:
        self._port = port
        self._prompts = frozenset((NO_MACHINE, machine))
        self._check = check
        self._decoder = TelnetDecoder()
        self._socket: socket.socket | None = None
        self._text = ""
        self._transcript: list[str] = []
        self._transcript_size = 0

    def connect(self, limit_s: float) -> None:
        """Waits until Renode listens and greets. Raises BoardError."""
        deadline_s = time.monotonic() + limit_s
        while self._socket is None:
            self._check()
            try:
                self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=_POLL_S)
            except OSError:
                if time.monotonic() >= deadline_s:
                    raise BoardError(
                        f"Renode did not open its Monitor on port {self._port} within {limit_s:.0f} s",
                        "renode.log in the run folder has what it said",
                    ) from None
                time.sleep(_POLL_S / 2)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._await("", COMMAND_LIMIT_S)

    def run(self, command: str, limit_s: float | None = COMMAND_LIMIT_S) -> str:
        """Sends `command`, returns what it printed. Raises BoardError when Renode complains."""
        output = self._exchange(command, limit_s)
        if (words := complaint(output)) is not None:
            raise as_error(command, words)
        return output

    def attempt(self, command: str) -> bool:
        """Sends a command that may fail; the transcript tells. Raises BoardError when Renode is gone."""
        return complaint(self._exchange(command, COMMAND_LIMIT_S)) is None

    def step(self, command: str, limit_s: float | None) -> None:
        """As `run`, without an entry in the transcript: for the thousands of steps of a run."""
        output = self._exchange(command, limit_s, keep=False)
        if (words := complaint(output)) is not None:
            self._keep(command, output)
            raise as_error(command, words)

    def quit(self) -> None:
        """Asks Renode to end; whether it does is for the process to tell. Never raises."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.sendall(b"quit\n")

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def transcript(self) -> str:
        """Commands and replies so far."""
        return "".join(self._transcript)

    def _exchange(self, command: str, limit_s: float | None, keep: bool = True) -> str:
        if self._socket is None:
            raise BoardError("the Monitor of Renode is not connected", "")
        self._text = ""
        try:
            self._socket.sendall(command.encode() + b"\n")
        except OSError as error:
            self._check()
            raise BoardError(f"Renode closed its Monitor: {error.strerror}", "see renode.log") from None
        output = self._await(command, limit_s)
        if keep:
            self._keep(command, output)
        return output

    def _await(self, command: str, limit_s: float | None) -> str:
        """The output of `command`, which has been sent; of the greeting when it is empty."""
        began_s = heard_s = time.monotonic()
        while True:
            quiet = time.monotonic() - heard_s >= _QUIET_S
            reply = cut_reply(self._text, command, self._prompts, quiet=quiet)
            if reply is not None:
                return reply.output
            if self._read():
                heard_s = time.monotonic()
                continue
            self._check()
            if limit_s is not None and time.monotonic() - began_s >= limit_s:
                self._keep(command or "(greeting)", self._text)
                what = f"did not answer {command!r}" if command else "did not greet"
                raise BoardError(f"Renode {what} within {limit_s:.0f} s", "see renode.log in the run folder")

    def _read(self) -> bool:
        assert self._socket is not None
        try:
            data = self._socket.recv(65536)
        except TimeoutError:
            return False
        except OSError:
            data = b""
        if not data:
            time.sleep(_POLL_S)  # the process is about to end: let it, so that its code is known
            self._check()
            raise BoardError("Renode closed its Monitor", "see renode.log in the run folder")
        self._text += self._decoder.feed(data)
        return True

    def _keep(self, command: str, output: str) -> None:
        entry = f"(monitor) {command}\n{output}\n" if output else f"(monitor) {command}\n"
        if self._transcript_size < _TRANSCRIPT_MAX:
            self._transcript.append(entry)
            self._transcript_size += len(entry)
