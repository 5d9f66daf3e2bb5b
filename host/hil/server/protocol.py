"""Messages between client and server half: a length, a kind and a body, all little-endian.

The conversation: HELLO → WELCOME or REFUSED, then any number of INFER → ANSWER and PING → PONG. BEGIN → BEGUN
makes the key that the tags of all later answers are made with.
Answers carry their request's number and may overtake each other. GOODBYE is the server's last word, with the
reason. See docs/server.md.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from hil.errors import ProtocolError
from hil.server.answer import Answer, Request, Stamp, Status
from hil.wire.protocol import HASH_BYTES, NONCE_BYTES, TAG_BYTES

SERVER_PROTOCOL_VERSION = 5
"""Since 4 answers may have tags: BEGIN, BEGUN, the stamp of INFER, the tag of ANSWER; since 5 a tag covers
the payload as well."""

FRAME_MAX = 1 << 20
"""Longest kind and body in bytes. A longer announcement ends the connection before it is read."""

NAME_MAX, TOKEN_MAX = 64, 128
"""Bytes of a device's name, and of a token."""
PING_MAX = 64
"""Bytes that a PING may hold, and PONG gives back."""

LENGTH = struct.Struct("<I")
_VERSION = struct.Struct("<H")
_HELLO = struct.Struct(f"<H{HASH_BYTES}sBB")
HELLO_MAX = 1 + _HELLO.size + NAME_MAX + TOKEN_MAX
"""Bytes of the longest HELLO after its length: nobody who has not said it may send more."""
_TEXT_MAX = 1000
_REQUEST = struct.Struct("<IB")
_STAMP = struct.Struct("<II")
_ANSWER = struct.Struct(f"<IBIIHH{TAG_BYTES}s")
_NO_TAG = bytes(TAG_BYTES)
_PREFIX = 1
"""The flag of an INFER whose payload is not whole."""
_STAMPED = 2
"""The flag of an INFER with a stamp before the payload."""
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
    GOODBYE = 8
    BEGIN = 9
    BEGUN = 10


class Refusal(IntEnum):
    """Why there is no session. The first byte of REFUSED; text follows."""

    PROTOCOL = 1
    BUNDLE = 2
    TOKEN = 3
    FULL = 4
    DRAINING = 5


@dataclass(frozen=True)
class Hello:
    """Who asks, and for what."""

    bundle_hash: bytes
    name: str = ""
    """Of the device; with a token, whose name that is."""
    token: str = field(default="", repr=False)
    version: int = SERVER_PROTOCOL_VERSION


@dataclass(frozen=True)
class ServerFrame:
    kind: Kind
    body: bytes = b""


def pack_frame(kind: Kind, body: bytes = b"") -> bytes:
    """The frame with its length. Raises ProtocolError when it is longer than `FRAME_MAX`."""
    if 1 + len(body) > FRAME_MAX:
        raise ProtocolError(f"a server frame of {1 + len(body)} bytes exceeds {FRAME_MAX}")
    return LENGTH.pack(1 + len(body)) + bytes([kind]) + body


def frame_length(prefix: bytes, longest: int = FRAME_MAX) -> int:
    """Bytes that follow the four of `prefix`. Raises ProtocolError for none, or more than `longest`."""
    length: int = LENGTH.unpack(prefix)[0]
    if not 1 <= length <= longest:
        raise ProtocolError(f"a server frame announces {length} bytes", "the peer is no hil server or client")
    return length


def parse_frame(content: bytes) -> ServerFrame:
    """The frame in the bytes after the length."""
    try:
        return ServerFrame(Kind(content[0]), content[1:])
    except ValueError:
        raise ProtocolError(f"a server frame has the unknown kind {content[0]}") from None


def pack_hello(hello: Hello) -> bytes:
    """Raises ProtocolError when name or token is too long."""
    name, token = hello.name.encode(), hello.token.encode()
    if len(name) > NAME_MAX or len(token) > TOKEN_MAX:
        raise ProtocolError(f"a name has {NAME_MAX} bytes at most, a token {TOKEN_MAX}")
    head = _HELLO.pack(hello.version, hello.bundle_hash, len(name), len(token))
    return pack_frame(Kind.HELLO, head + name + token)


def hello_version(body: bytes) -> int:
    """What any version's HELLO begins with. Raises ProtocolError."""
    version: int = _unpack(_VERSION, body[: _VERSION.size])[0]
    return version


def parse_hello(body: bytes) -> Hello:
    """Raises ProtocolError when it is none of this version."""
    version, bundle_hash, name_size, token_size = _unpack(_HELLO, body[: _HELLO.size])
    rest = body[_HELLO.size :]
    if name_size > NAME_MAX or token_size > TOKEN_MAX or len(rest) != name_size + token_size:
        raise ProtocolError(f"a HELLO of {len(body)} bytes does not fit its sizes")
    try:
        name, token = rest[:name_size].decode(), rest[name_size:].decode()
    except UnicodeDecodeError:
        raise ProtocolError("a HELLO is no UTF-8") from None
    if not name.isprintable():
        raise ProtocolError("a device's name has to be printable")
    return Hello(bundle_hash, name, token, version)


def pack_refusal(code: Refusal, reason: str) -> bytes:
    return pack_frame(Kind.REFUSED, bytes([code]) + _text(reason))


def parse_refusal(body: bytes) -> tuple[Refusal | None, str]:
    """(code, reason); None for a code that came later."""
    code = Refusal(body[0]) if body and body[0] in list(Refusal) else None
    return code, shown(body[1:])


def pack_goodbye(reason: str) -> bytes:
    return pack_frame(Kind.GOODBYE, _text(reason))


def pack_request(number: int, request: Request) -> bytes:
    flags = (_PREFIX if request.prefix else 0) | (_STAMPED if request.stamp else 0)
    stamp = _STAMP.pack(request.stamp.counter, request.stamp.sample) if request.stamp else b""
    return pack_frame(Kind.INFER, _REQUEST.pack(number, flags) + stamp + request.payload)


def parse_request(body: bytes) -> tuple[int, Request]:
    """(request number, request)."""
    number, flags = _unpack(_REQUEST, body[: _REQUEST.size])
    if flags & ~(_PREFIX | _STAMPED):
        raise ProtocolError(f"a server frame has the unknown flags {flags:#x}")
    rest, stamp = body[_REQUEST.size :], None
    if flags & _STAMPED:
        stamp, rest = Stamp(*_unpack(_STAMP, rest[: _STAMP.size])), rest[_STAMP.size :]
    return number, Request(rest, bool(flags & _PREFIX), stamp)


def pack_begin(device_nonce: bytes, server_nonce: bytes = b"") -> bytes:
    """`server_nonce` is that of a session that goes on over a new connection."""
    return pack_frame(Kind.BEGIN, device_nonce + server_nonce)


def parse_begin(body: bytes) -> tuple[bytes, bytes]:
    """(device nonce, server nonce or nothing)."""
    if len(body) not in (NONCE_BYTES, 2 * NONCE_BYTES):
        raise ProtocolError(f"a BEGIN has {len(body)} bytes")
    return body[:NONCE_BYTES], body[NONCE_BYTES:]


def pack_begun(server_nonce: bytes) -> bytes:
    """An empty nonce: the server has no key of this device."""
    return pack_frame(Kind.BEGUN, server_nonce)


def parse_begun(body: bytes) -> bytes:
    """The server nonce; empty where the server has no key of this device."""
    if len(body) not in (0, NONCE_BYTES):
        raise ProtocolError(f"a BEGUN has {len(body)} bytes")
    return body


def pack_answer(request: int, answer: Answer) -> bytes:
    """An OK answer ends with its logits, any other with its detail as UTF-8."""
    head = _ANSWER.pack(
        request,
        answer.status,
        min(answer.server_us, _U32_MAX),
        min(answer.queue_us, _U32_MAX),
        answer.channels,
        len(answer.logits),
        answer.tag or _NO_TAG,
    )
    logits = struct.pack(f"<{len(answer.logits)}h", *answer.logits)
    return pack_frame(Kind.ANSWER, head + logits + _text(answer.detail))


def parse_answer(body: bytes) -> tuple[int, Answer]:
    """(request number, answer)."""
    request, status, server_us, queue_us, channels, count, tag = _unpack(_ANSWER, body[: _ANSWER.size])
    rest = body[_ANSWER.size :]
    if len(rest) < 2 * count or status not in list(Status):
        raise ProtocolError(f"a damaged answer of {len(body)} bytes from the server")
    logits = struct.unpack_from(f"<{count}h", rest)
    detail = shown(rest[2 * count :])
    tag = b"" if tag == _NO_TAG else tag
    return request, Answer(Status(status), logits, server_us, queue_us, detail, channels, tag)


def shown(text: bytes) -> str:
    """What the other side says, for people: nothing in it moves a terminal's cursor or begins a new line."""
    plain = text[:_TEXT_MAX].decode(errors="replace")
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in plain)


def _text(text: str) -> bytes:
    return text.encode(errors="replace")[:_TEXT_MAX]


def _unpack(layout: struct.Struct, body: bytes) -> tuple[Any, ...]:
    if len(body) != layout.size:
        raise ProtocolError(f"a server frame has {len(body)} bytes, not {layout.size}")
    return layout.unpack(body)
