"""One client's conversation: who it is, what it asks, how it ends. Nothing in it reaches another client's."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

from hil.errors import ProtocolError
from hil.server.answer import Answer, Request, Status
from hil.server.protocol import (
    FRAME_MAX,
    HELLO_MAX,
    LENGTH,
    PING_MAX,
    Kind,
    ServerFrame,
    frame_length,
    hello_version,
    pack_answer,
    pack_begun,
    pack_frame,
    pack_goodbye,
    pack_refusal,
    parse_begin,
    parse_frame,
    parse_hello,
    parse_request,
)
from hil.server.stats import SessionStats
from hil.server.tagger import Tagger

if TYPE_CHECKING:
    from hil.server.service import Service

_FRAMES_A_TURN = 32
"""So many messages of one client are handled before all the others have had their turn."""


class Session(asyncio.Protocol):
    """Takes bytes as they come.

    What is kept of a client is bounded: part of one message, `Limits.session_max` requests, and
    `Limits.write_buffer` bytes with the answers to those.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._limits = service.limits
        self._buffer = bytearray()
        self._longest = HELLO_MAX
        self._under_way = 0
        self._stalled_s: float | None = None
        self._frame_s: float | None = None
        self._ended_s: float | None = None
        self._turn_due = False
        self._tagger = Tagger()
        self.stats = SessionStats()
        self.address = ""
        """Of the client, without its port."""
        self.greeted = False

    @property
    def alive(self) -> bool:
        """Whether it has not been ended from this side."""
        return self._ended_s is None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._begun_s = self._last_s = time.monotonic()
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if isinstance(peer, tuple) else "?"
        self.stats.peer = f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else "?"
        transport.set_write_buffer_limits(self._limits.write_buffer)
        if not self._service.arrived(self):
            self._ended_s = self._begun_s
            transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """See asyncio."""
        self._buffer.clear()
        if self.alive:
            self._ended_s = time.monotonic()
            self._service.ended(self, "left")
        self._service.gone(self)

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        self.stats.bytes_in += len(data)
        self._service.stats.bytes_in += len(data)
        self._buffer += data
        self._turn()

    def pause_writing(self) -> None:
        """See asyncio: the client does not read its answers, so nothing more is read of it."""
        self._stalled_s = time.monotonic()
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """See asyncio."""
        self._stalled_s = None
        self._later()

    def sweep(self, now_s: float) -> None:
        """Ends the session where a limit of time has passed."""
        limits = self._limits
        if self._ended_s is not None:
            if now_s - self._ended_s > limits.write_s:
                self._transport.abort()
        elif not self.greeted and now_s - self._begun_s > limits.hello_s:
            self.end("silent", f"no HELLO within {limits.hello_s:g} s")
        elif self._stalled_s is not None and now_s - self._stalled_s > limits.write_s:
            self.end("stalled", "answers are not read")
            self._transport.abort()
        elif self._frame_s is not None and now_s - self._frame_s > limits.frame_s:
            self.end("slow", f"a message took longer than {limits.frame_s:g} s")
        elif limits.idle_s and not self._under_way and now_s - self._last_s > limits.idle_s:
            self.end("idle", f"nothing was asked for {limits.idle_s:g} s")

    def end(self, reason: str, words: str) -> None:
        """Says goodbye and closes; `reason` is for the books, `words` are for the client."""
        if self._ended_s is not None:
            return
        self._ended_s = time.monotonic()
        self._service.ended(self, reason)
        self._write(pack_goodbye(words))
        self._transport.close()

    def abort(self) -> None:
        """Closes at once, whatever has not been sent."""
        self._transport.abort()

    def _turn(self) -> None:
        """Handles what messages there are, some at a time."""
        self._turn_due = False
        try:
            for _ in range(_FRAMES_A_TURN):
                if self._stalled_s is not None or not self.alive:
                    return
                frame = self._cut()
                if frame is None:
                    if not self._transport.is_closing():
                        self._transport.resume_reading()
                    return
                self._handle(frame)
        except ProtocolError as error:
            self.end("malformed", error.message)
            return
        self._transport.pause_reading()
        self._later()

    def _later(self) -> None:
        if not self._turn_due:
            self._turn_due = True
            self._service.loop.call_soon(self._turn)

    def _cut(self) -> ServerFrame | None:
        """The first whole message in the buffer. Its length is checked as soon as that is there."""
        if len(self._buffer) < LENGTH.size:
            self._frame_s = (self._frame_s or time.monotonic()) if self._buffer else None
            return None
        end = LENGTH.size + frame_length(bytes(self._buffer[: LENGTH.size]), self._longest)
        if len(self._buffer) < end:
            self._frame_s = self._frame_s or time.monotonic()
            return None
        frame = parse_frame(bytes(self._buffer[LENGTH.size : end]))
        del self._buffer[:end]
        self._frame_s = None
        self._last_s = time.monotonic()
        return frame

    def _handle(self, frame: ServerFrame) -> None:
        if not self.greeted:
            self._greet(frame)
        elif frame.kind is Kind.INFER:
            self._ask(frame.body)
        elif frame.kind is Kind.BEGIN:
            self._begin(frame.body)
        elif frame.kind is Kind.PING and len(frame.body) <= PING_MAX:
            self._write(pack_frame(Kind.PONG, frame.body))
        else:
            raise ProtocolError(f"a client sent {frame.kind.name} of {len(frame.body)} bytes")

    def _greet(self, frame: ServerFrame) -> None:
        if frame.kind is not Kind.HELLO:
            raise ProtocolError("the first frame is no HELLO")
        refusal = self._service.refusal(hello_version(frame.body))
        if refusal is None:
            hello = parse_hello(frame.body)
            self.stats.device = hello.name or "nameless"
            refusal = self._service.welcome(hello)
        if refusal is None:
            self.greeted = True
            self._longest = min(FRAME_MAX, 2 * self._service.remote.payload_max + 1024)
            self._service.begun(self)
            self._write(pack_frame(Kind.WELCOME))
            return
        self._ended_s = time.monotonic()
        self._service.refused(self, refusal[0])
        self._write(pack_refusal(*refusal))
        self._transport.close()

    def _begin(self, body: bytes) -> None:
        device_nonce, server_nonce = parse_begin(body)
        key = self._service.key_of(self.stats.device)
        nonce = self._tagger.begin(key, device_nonce, server_nonce) if key else b""
        self._write(pack_begun(nonce))

    def _ask(self, body: bytes) -> None:
        number, request = parse_request(body)
        reply = partial(self._reply, number, request)
        self.stats.requests += 1
        self._under_way += 1
        if self._service.draining:
            reply(Answer(Status.DRAINING, detail="the server is stopping"))
        elif self._under_way > self._limits.session_max:
            detail = f"{self._limits.session_max} requests of this session are under way"
            reply(Answer(Status.BUSY, detail=detail))
        else:
            self._service.batcher.submit(self, request, reply)

    def _reply(self, number: int, request: Request, answer: Answer) -> None:
        self._under_way -= 1
        self.stats.answered(answer)
        self._service.stats.answers[answer.status.name] += 1
        self._write(pack_answer(number, self._tagger.tagged(answer, request)))

    def _write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self.stats.bytes_out += len(data)
            self._service.stats.bytes_out += len(data)
            self._transport.write(data)
