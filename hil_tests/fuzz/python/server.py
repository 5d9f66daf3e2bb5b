"""The server half's sessions, fed by strangers; and the client, fed by a server that lies.

No sockets and no threads: a service with two sessions whose transports are lists.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from hil.errors import CodecError, ServerError
from hil.server.answer import Answer, Request, Stamp, Status
from hil.server.client import Client
from hil.server.limits import Limits
from hil.server.protocol import (
    LENGTH,
    Hello,
    Kind,
    Refusal,
    frame_length,
    pack_answer,
    pack_begin,
    pack_frame,
    pack_goodbye,
    pack_hello,
    pack_refusal,
    pack_request,
    parse_answer,
    parse_frame,
    parse_refusal,
)  # fmt: skip
from hil.server.service import Service
from hil.server.session import Session
from hil.server.tokens import Tokens

HASH = bytes(range(32))
TOKEN = "a-token-that-nobody-is-to-be-told"
LIMITS = Limits(session_max=3, write_buffer=4096)
READ_MAX = 4096
"""Bytes that one read of a socket brings here."""


class _Remote:
    payload_max = 200


class _Batcher:
    """Answers at once, later, or that the payload is corrupt, as the payload's first byte says."""

    def __init__(self) -> None:
        self.sessions = 0
        self.waiting: list[tuple[Session, Callable[[Answer], None]]] = []

    def submit(self, session: Session, request: Request, reply: Callable[[Answer], None]) -> None:
        first = request.payload[0] if request.payload else 0
        if first % 3 == 0:
            reply(Answer(Status.OK, (1, -2, first), 5, 6, channels=4))
        elif first % 3 == 1:
            reply(Answer(Status.CORRUPT, detail=str(CodecError("it ends early"))))
        else:
            self.waiting.append((session, reply))

    def answer(self) -> None:
        waiting, self.waiting = self.waiting, []
        for _, reply in waiting:
            reply(Answer(Status.OK, (7,)))

    def forget(self, session: Session) -> None:
        self.waiting = [(one, reply) for one, reply in self.waiting if one is not session]


class _Loop:
    """What a session asks of its loop."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []

    def call_soon(self, function: Callable[[], None]) -> None:
        self.due.append(function)

    def turn(self) -> None:
        for _ in range(1000):
            if not self.due:
                return
            self.due.pop(0)()
        raise AssertionError("a session never comes to rest")


class _Transport(asyncio.Transport):
    """Keeps what was written; pauses as a real one does."""

    def __init__(self) -> None:
        super().__init__({"peername": ("198.51.100.7", 50_000)})
        self.written = bytearray()
        self.closing = self.reading_paused = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return self.closing

    def write(self, data: Any) -> None:
        assert not self.closing
        self.written += data

    def close(self) -> None:
        self.closing = True

    abort = close

    def pause_reading(self) -> None:
        self.reading_paused = True

    def resume_reading(self) -> None:
        self.reading_paused = False


def one(data: bytes) -> None:
    """The first byte chooses the side."""
    if data[:1] and data[0] & 1:
        _lying_server(data[1:])
    else:
        _strangers(data[1:])


def _strangers(data: bytes) -> None:
    """Steps: a byte says what and to which session, for bytes a length follows."""
    service = Service(_Remote(), HASH, LIMITS, "packed", Tokens({"camera-1": TOKEN}))  # type: ignore[arg-type]
    batcher, loop = _Batcher(), _Loop()
    service.batcher, service.loop = batcher, loop  # type: ignore[assignment]
    sessions = [Session(service), Session(service)]
    transports = [_Transport(), _Transport()]
    for session, transport in zip(sessions, transports, strict=True):
        session.connection_made(transport)
    lost = [False, False]
    at = 0
    while at < len(data):
        what, index = data[at] % 8, data[at] >> 7
        session, transport = sessions[index], transports[index]
        at += 1
        if what <= 2 and not (transport.reading_paused or transport.closing):
            size = struct.unpack("<H", data[at : at + 2].ljust(2, b"\0"))[0] % (READ_MAX + 1)
            session.data_received(data[at + 2 : at + 2 + size])
            at += 2 + size
        elif what == 3:
            session.sweep(session._last_s + 2.0 * (at % 16))
        elif what == 4:
            batcher.answer()
        elif what == 5 and not lost[index]:
            session.pause_writing() if session._stalled_s is None else session.resume_writing()
        elif what == 6 and not lost[index]:
            lost[index] = transport.closing = True
            session.connection_lost(None)
        elif what == 7:
            service.draining = service.draining or at % 64 == 0
        loop.turn()
        longest = 4 + (2 * _Remote.payload_max + 1024 if session.greeted else 0) + READ_MAX + 233
        assert len(session._buffer) <= longest
    batcher.answer()
    for session, transport in zip(sessions, transports, strict=True):
        _check(session, bytes(transport.written))


def _check(session: Session, written: bytes) -> None:
    """Sound frames, nothing for strangers but a refusal or goodbye, the token never."""
    assert TOKEN.encode() not in written
    assert HASH not in written
    kinds = []
    while written:
        end = LENGTH.size + frame_length(written[: LENGTH.size])
        frame = parse_frame(written[LENGTH.size : end])
        written = written[end:]
        kinds.append(frame.kind)
        if frame.kind is Kind.ANSWER:
            parse_answer(frame.body)
        elif frame.kind is Kind.REFUSED:
            parse_refusal(frame.body)
    if not session.greeted:
        assert len(kinds) <= 1
        assert set(kinds) <= {Kind.REFUSED, Kind.GOODBYE}
    else:
        assert kinds[0] is Kind.WELCOME
        assert kinds.count(Kind.ANSWER) <= session.stats.requests


class _Socket:
    """A socket whose peer says what the input holds."""

    def __init__(self, data: bytes) -> None:
        self._left = data
        self._blocking = True

    def setsockopt(self, *_: object) -> None:
        pass

    def settimeout(self, seconds: float) -> None:
        self._blocking = seconds != 0

    def sendall(self, data: bytes) -> None:
        pass

    def recv(self, size: int) -> bytes:
        if not self._blocking:
            raise BlockingIOError
        taken, self._left = self._left[:size], self._left[size:]
        return taken

    def close(self) -> None:
        self._left = b""


def _lying_server(data: bytes) -> None:
    connected = mock.patch.object(socket, "create_connection", return_value=_Socket(data))
    try:
        with connected:
            client = Client("127.0.0.1", 7011, HASH, 5)
            for _ in range(4):
                assert client.infer(b"payload", 5).detail.isprintable()
            client.ping(5)
    except ServerError as error:
        said = str(error)
    else:
        said = ""
    assert said.isprintable()


def _step(data: bytes, index: int = 0) -> bytes:
    return struct.pack("<BH", index << 7, len(data)) + data


def seeds() -> Iterator[bytes]:
    """Conversations that a server and a client have."""
    hello = pack_hello(Hello(HASH, "camera-1", TOKEN))
    asks = [pack_request(i, Request(bytes([i]) * 9, i % 2 == 1)) for i in range(6)]
    ping = pack_frame(Kind.PING, b"12345678")
    yield b"\0" + _step(hello) + b"".join(map(_step, asks)) + b"\4\3"
    yield (
        b"\0"
        + _step(hello)
        + _step(ping)
        + _step(hello, 1)
        + _step(b"".join(asks * 8), 1)
        + b"\x84\x85\4\x85\6"
    )
    begins = _step(pack_begin(bytes(16))) + _step(pack_begin(bytes(16), bytes(16)))
    stamped = [pack_request(i, Request(bytes([3 * i]) * 9, stamp=Stamp(i, 2))) for i in range(3)]
    yield b"\0" + _step(hello) + begins + b"".join(map(_step, stamped))
    yield b"\0" + _step(hello) + _step(stamped[0]) + _step(pack_begin(bytes(9)))
    for other in (
        Hello(HASH, "camera-1", "wrong"),
        Hello(HASH, "nobody", TOKEN),
        Hello(bytes(32), "camera-1", TOKEN),
        Hello(HASH, "camera-1", TOKEN, version=2),
        Hello(HASH),
    ):
        yield b"\0" + _step(pack_hello(other)) + _step(asks[0])
    yield b"\0" + _step(hello[:10]) + b"\3\3" + _step(hello[10:]) + b"\7" * 70 + _step(asks[0])
    yield b"\0" + _step(b"\xff\xff\xff\xff") + _step(ping)
    yield b"\0" + _step(hello) + _step(LENGTH.pack(1 << 20))
    welcome = pack_frame(Kind.WELCOME)
    answers = [
        pack_answer(1, Answer(Status.OK, (1, 2, -3), 10, 20, channels=4)),
        pack_answer(2, Answer(Status.BUSY, detail="full")),
        pack_answer(9, Answer(Status.CORRUPT, detail="it ends early")),
        pack_frame(Kind.PONG),
    ]
    yield b"\1" + welcome + b"".join(answers)
    yield b"\1" + welcome + pack_goodbye("the server is shutting down")
    for code in Refusal:
        yield b"\1" + pack_refusal(code, "because")
    yield b"\1\x15\x03\x03\x00\x02\x02\x28"
