"""The server half as a child process that is started again when it dies or no longer answers."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from typing import Self

from hil.errors import ServerError
from hil.server.answer import Answer, Stamp
from hil.server.client import Client
from hil.server.process import ServerProcess

RESTARTS_MAX = 3
"""In a row, without an answer in between: a payload that kills every server must not cost all the time."""
UNGREETED_MAX = 3
"""Connections in a row that a ready child leaves without a greeting: then it hangs, and is ended."""


class KeptServer:
    """A `ServerProcess`, and its successors. Requests while one loads fail as they do without any."""

    def __init__(self, command: Sequence[str], device_key: bytes | None = None) -> None:
        """With a `device_key` all of them can make replies that the device takes for its own.

        Raises ServerError when the program cannot be started."""
        self._command = command
        self._device_key = device_key
        self._child = ServerProcess(command, device_key)
        self._earlier = b""
        self._served = False
        self._in_a_row = 0
        self._ungreeted = 0
        self.via: Callable[[int], int] = lambda port: port
        """From the port that the child listens on to the one to connect to."""

    @property
    def pid(self) -> int:
        """Of the child that there is now."""
        return self._child.pid

    def connect(self, bundle_hash: bytes, timeout_s: float) -> _Kept:
        """Waits until the child is ready; one that served and is gone is started again.

        Raises ServerError with the end of its log.
        """
        if self._served and (not self._child.alive or self._ungreeted >= UNGREETED_MAX):
            self._start_again()
        try:
            client = self._child.connect(bundle_hash, timeout_s, self.via)
        except ServerError:
            self._ungreeted += self._child.ready
            raise
        self._served, self._ungreeted = True, 0
        return _Kept(client, self._answered)

    def log(self) -> bytes:
        """What all of them wrote to their standard error."""
        return self._earlier + self._child.log()

    def stop(self) -> None:
        """Ends the child. Safe to call again."""
        self._child.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _answered(self) -> None:
        self._in_a_row = 0

    def _start_again(self) -> None:
        if self._in_a_row >= RESTARTS_MAX:
            raise ServerError(
                f"the server half was started {RESTARTS_MAX} times in a row in vain", "see server.log"
            )
        self._in_a_row += 1
        self._ungreeted = 0
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._child.pid, signal.SIGKILL)  # one that hangs heeds nothing else
        self._child.stop()
        self._earlier += self._child.log()
        self._child = ServerProcess(self._command, self._device_key)


class _Kept:
    """A connection that tells when it brought an answer."""

    def __init__(self, client: Client, answered: Callable[[], None]) -> None:
        self._client = client
        self._answered = answered

    def begin(self, device_nonce: bytes, server_nonce: bytes, timeout_s: float) -> bytes:
        """See KeyedConnection."""
        return self._client.begin(device_nonce, server_nonce, timeout_s)

    def infer(
        self, payload: bytes, timeout_s: float, *, prefix: bool = False, stamp: Stamp | None = None
    ) -> Answer:
        """See KeyedConnection."""
        answer = self._client.infer(payload, timeout_s, prefix=prefix, stamp=stamp)
        self._answered()
        return answer

    def close(self) -> None:
        self._client.close()
