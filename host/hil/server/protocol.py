"""Messages between client and server half: a length, a kind and a body, all little-endian.

The conversation: HELLO → WELCOME or REFUSED, then any number of INFER → ANSWER and PING → PONG.
Answers carry their request's number and may overtake each other.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from hil.errors import ProtocolError
from hil.server.answer import Answer, Request, Status
from hil.wire.protocol import HASH_BYTES

SERVER_PROTOCOL_VERSION = 2
"""Since 2 INFER has flags, and ANSWER a number of channels."""

FRAME_MAX = 1 << 20
"""Longest kind and body in bytes. A longer announcement ends the connection before it is read."""

LENGTH = struct.Struct("<I")
_HELLO = struct.Struct(f"<H{HASH_BYTES}s")
_REQUEST = struct.Struct("<IB")
_ANSWER = struct.Struct("<IBIIHH")
_PREFIX = 1
"""The flag of an INFER whose payload is not whole."""
_U32_MAX = 0xFFFF_FFFF


class Kind(IntEnum):
    """The first byte of a frame."""

    HELLO = 1
    WELCOME = 2
    REFUSED = 3
    INFER = 4
    ANSWER = 5
    PING = 6
    PONG = 7


@dataclass(frozen=True)
class ServerFrame:
    kind: Kind
    body: bytes = b""


def pack_frame(kind: Kind, body: bytes = b"") -> bytes:
    """The frame with its length. Raises ProtocolError when it is longer than `FRAME_MAX`."""
    if 1 + len(body) > FRAME_MAX:
        raise ProtocolError(f"a server frame of {1 + len(body)} bytes exceeds {FRAME_MAX}")
    return LENGTH.pack(1 + len(body)) + bytes([kind]) + body


def frame_length(prefix: bytes) -> int:
    """Bytes that follow the four of `prefix`. Raises ProtocolError for an impossible length."""
    length: int = LENGTH.unpack(prefix)[0]
    if not 1 <= length <= FRAME_MAX:
        raise ProtocolError(f"a server frame announces {length} bytes", "the peer is no hil server or client")
    return length


def parse_frame(content: bytes) -> ServerFrame:
    """The frame in the bytes after the length."""
    try:
        return ServerFrame(Kind(content[0]), content[1:])
    except ValueError:
        raise ProtocolError(f"a server frame has the unknown kind {content[0]}") from None


def pack_hello(bundle_hash: bytes) -> bytes:
    return pack_frame(Kind.HELLO, _HELLO.pack(SERVER_PROTOCOL_VERSION, bundle_hash))


def parse_hello(body: bytes) -> tuple[int, bytes]:
    """(protocol version, bundle hash)."""
    version, bundle_hash = _unpack(_HELLO, body)
    return version, bundle_hash


def pack_request(number: int, request: Request) -> bytes:
    flags = _PREFIX if request.prefix else 0
    return pack_frame(Kind.INFER, _REQUEST.pack(number, flags) + request.payload)


def parse_request(body: bytes) -> tuple[int, Request]:
    """(request number, request)."""
    number, flags = _unpack(_REQUEST, body[: _REQUEST.size])
    if flags & ~_PREFIX:
        raise ProtocolError(f"a server frame has the unknown flags {flags:#x}")
    return number, Request(body[_REQUEST.size :], flags == _PREFIX)


def pack_answer(request: int, answer: Answer) -> bytes:
    """An OK answer ends with its logits, any other with its detail as UTF-8."""
    head = _ANSWER.pack(
        request,
        answer.status,
        min(answer.server_us, _U32_MAX),
        min(answer.queue_us, _U32_MAX),
        answer.channels,
        len(answer.logits),
    )
    logits = struct.pack(f"<{len(answer.logits)}h", *answer.logits)
    return pack_frame(Kind.ANSWER, head + logits + answer.detail.encode()[:1000])


def parse_answer(body: bytes) -> tuple[int, Answer]:
    """(request number, answer)."""
    request, status, server_us, queue_us, channels, count = _unpack(_ANSWER, body[: _ANSWER.size])
    rest = body[_ANSWER.size :]
    if len(rest) < 2 * count or status not in list(Status):
        raise ProtocolError(f"a damaged answer of {len(body)} bytes from the server")
    logits = struct.unpack_from(f"<{count}h", rest)
    detail = rest[2 * count :].decode(errors="replace")
    return request, Answer(Status(status), logits, server_us, queue_us, detail, channels)


def _unpack(layout: struct.Struct, body: bytes) -> tuple[Any, ...]:
    if len(body) != layout.size:
        raise ProtocolError(f"a server frame has {len(body)} bytes, not {layout.size}")
    return layout.unpack(body)
