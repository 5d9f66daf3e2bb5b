"""What a probe and a twin on the desk say to each other over a local socket.

A message is its length (four bytes, little-endian), a kind (one byte) and a body. The client sends
HELLO with version and token first; every message is answered by one. A CALL carries JSON. A TRANSFER
carries accesses to the debug port, each `<BBH` (what, register, count) and, for writes, `count`
words; its answer is a result (one byte), the number of words done and the words read. Anything
malformed raises ProtocolError, and the connection ends.
"""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from hil.errors import ProtocolError

VERSION = 1
MESSAGE_BYTES_MAX = 1 << 16
WORDS_MAX = 4096
"""Words of one access."""

_LENGTH = struct.Struct("<I")
_ACCESS = struct.Struct("<BBH")
_DONE = struct.Struct("<BI")


class Kind(IntEnum):
    """The kinds of messages."""

    HELLO = 1
    CALL = 2
    TRANSFER = 3
    ANSWER = 16
    REFUSED = 17


class What(IntEnum):
    """What an access does. The register is 0x0, 0x4, 0x8 or 0xC."""

    READ_DP = 0
    WRITE_DP = 1
    READ_AP = 2
    WRITE_AP = 3


class Result(IntEnum):
    """How a transfer ended, as the debug port answered its last access."""

    OK = 0
    FAULT = 1
    NO_ANSWER = 2


@dataclass(frozen=True)
class Access:
    """`count` reads of one register, or one write for each of `words`."""

    what: What
    register: int
    count: int = 1
    words: tuple[int, ...] = ()

    @property
    def writes(self) -> bool:
        return self.what in (What.WRITE_DP, What.WRITE_AP)


@dataclass(frozen=True)
class Outcome:
    """The end of a transfer: `done` counts the words moved before it stopped."""

    result: Result
    done: int
    words: tuple[int, ...]


def pack_accesses(accesses: list[Access]) -> bytes:
    """The body of a TRANSFER."""
    parts = []
    for access in accesses:
        count = len(access.words) if access.writes else access.count
        parts.append(_ACCESS.pack(access.what, access.register, count))
        parts.append(struct.pack(f"<{len(access.words)}I", *access.words))
    return b"".join(parts)


def unpack_accesses(body: bytes) -> list[Access]:
    """The accesses in the body of a TRANSFER. Raises ProtocolError."""
    found, at, words_read = [], 0, 0
    try:
        while at < len(body):
            what, register, count = _ACCESS.unpack_from(body, at)
            at += _ACCESS.size
            access = Access(What(what), register, count)
            if register not in (0, 4, 8, 12) or count > WORDS_MAX:
                raise ProtocolError(f"an access to register 0x{register:x} of {count} words")
            if access.writes:
                words = struct.unpack_from(f"<{count}I", body, at)
                at += 4 * count
                access = Access(access.what, register, count, words)
            else:
                words_read += count
            found.append(access)
    except (struct.error, ValueError) as error:
        raise ProtocolError(f"a transfer of {len(body)} bytes that makes no sense: {error}") from error
    if words_read > WORDS_MAX:
        raise ProtocolError(f"a transfer that reads {words_read} words", f"{WORDS_MAX} at most")
    return found


def pack_outcome(outcome: Outcome) -> bytes:
    """The body of the answer to a TRANSFER."""
    words = struct.pack(f"<{len(outcome.words)}I", *outcome.words)
    return _DONE.pack(outcome.result, outcome.done) + words


def unpack_outcome(body: bytes) -> Outcome:
    """The answer to a TRANSFER. Raises ProtocolError."""
    try:
        result, done = _DONE.unpack_from(body)
        words = struct.unpack(f"<{(len(body) - _DONE.size) // 4}I", body[_DONE.size :])
        return Outcome(Result(result), done, words)
    except (struct.error, ValueError) as error:
        raise ProtocolError(f"an answer of {len(body)} bytes that makes no sense: {error}") from error


def pack_message(kind: Kind, body: bytes) -> bytes:
    """One message."""
    return _LENGTH.pack(1 + len(body)) + bytes([kind]) + body


def pack_json(value: Any) -> bytes:
    """The body of a HELLO, a CALL, an answer to them, or a refusal."""
    return json.dumps(value, separators=(",", ":")).encode()


def unpack_json(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`. Raises ProtocolError."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ProtocolError("not a JSON object")
    return value


class Inbox:
    """Bytes that came, until they are whole messages."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def add(self, data: bytes) -> None:
        """Takes what a socket gave."""
        self._bytes += data

    def take(self) -> tuple[Kind, bytes] | None:
        """The next message, if it is complete. Raises ProtocolError."""
        if len(self._bytes) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._bytes)
        if not 1 <= length <= MESSAGE_BYTES_MAX:
            raise ProtocolError(f"a message of {length} bytes", f"1 to {MESSAGE_BYTES_MAX}")
        end = _LENGTH.size + length
        if len(self._bytes) < end:
            return None
        message = bytes(self._bytes[_LENGTH.size : end])
        del self._bytes[:end]
        try:
            return Kind(message[0]), message[1:]
        except ValueError as error:
            raise ProtocolError(f"a message of unknown kind {message[0]}") from error


def receive(connection: socket.socket, inbox: Inbox) -> tuple[Kind, bytes]:
    """The next message, waited for. Raises ProtocolError and OSError."""
    while (message := inbox.take()) is None:
        data = connection.recv(MESSAGE_BYTES_MAX)
        if not data:
            raise ConnectionResetError("the other side closed the connection")
        inbox.add(data)
    return message
