"""A connection to a twin on the desk."""

from __future__ import annotations

import contextlib
import socket
from typing import Any

from hil.errors import BoardError, ProtocolError
from hil.probe import protocol as p
from hil.probe.registry import Entry

TIMEOUT_S = 30.0
"""A twin answers between two slices of work; only one that hangs takes longer."""


class DeskClient:
    """Speaks to one twin. Raises BoardError when the twin is busy, gone, or refuses."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self._inbox = p.Inbox()
        try:
            self._socket = socket.create_connection(("127.0.0.1", entry.port), TIMEOUT_S)
        except OSError as error:
            raise BoardError(
                f"the twin {entry.unique_id} does not answer", "is `hil twin --probe` still running?"
            ) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            hello = {"version": p.VERSION, "token": entry.token}
            p.unpack_json(self._ask(p.Kind.HELLO, p.pack_json(hello)))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> DeskClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hangs up."""
        with contextlib.suppress(OSError):
            self._socket.close()

    def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """One of the desk's controls: see `hil.twin.desk.controls`."""
        return p.unpack_json(self._ask(p.Kind.CALL, p.pack_json({"call": name, **arguments})))

    def transfer(self, accesses: list[p.Access]) -> p.Outcome:
        """Accesses to the debug port, in order, up to the first that is not answered with OK."""
        return p.unpack_outcome(self._ask(p.Kind.TRANSFER, p.pack_accesses(accesses)))

    def _ask(self, kind: p.Kind, body: bytes) -> bytes:
        try:
            self._socket.sendall(p.pack_message(kind, body))
            answered, answer = p.receive(self._socket, self._inbox)
        except OSError as error:
            raise BoardError(
                f"the twin {self.entry.unique_id} broke off: {error}", "look at what `hil twin` printed"
            ) from error
        if answered is p.Kind.REFUSED:
            reason = p.unpack_json(answer)
            raise BoardError(str(reason.get("message")), str(reason.get("hint", "")))
        if answered is not p.Kind.ANSWER:
            raise ProtocolError(f"the twin answered with a message of kind {answered}")
        return answer
