"""The server half on a socket: checks who asks, queues, answers, and leaves in good order."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

from hil.errors import ProtocolError
from hil.server.answer import Answer
from hil.server.batching import Batcher, BatchLimits, Remote
from hil.server.protocol import (
    LENGTH,
    SERVER_PROTOCOL_VERSION,
    Kind,
    ServerFrame,
    frame_length,
    pack_answer,
    pack_frame,
    parse_frame,
    parse_hello,
    parse_request,
)

HELLO_TIMEOUT_S = 5.0
"""A client that says nothing for so long is dropped."""

DRAIN_TIMEOUT_S = 3.0
"""How long a stopping server goes on answering what it has already taken."""


@dataclass(eq=False)
class Service:
    """One bundle's server half. Start it inside a running event loop."""

    remote: Remote
    bundle_hash: bytes
    limits: BatchLimits = field(default_factory=BatchLimits)
    packing: str = ""
    """How it wants payloads packed, for whoever has another bundle."""

    def __post_init__(self) -> None:
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self, host: str, port: int) -> int:
        """Listens on `host`; returns the port, which the system picks when `port` is 0."""
        self._batcher = Batcher(self.remote, self.limits)
        self._worker = asyncio.create_task(self._batcher.work())
        self._server = await asyncio.start_server(self._converse, host, port)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Refuses new connections, answers what is queued, then closes everything."""
        self._server.close()
        await self._batcher.drain(DRAIN_TIMEOUT_S)
        self._worker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._worker
        self._batcher.close()
        for writer in list(self._writers):
            writer.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._server.wait_closed(), 1.0)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if await self._welcome(reader, writer):
                while True:
                    self._handle(await _read(reader), writer)
                    await writer.drain()
        except (ProtocolError, TimeoutError, OSError, EOFError):
            pass  # the peer left or is none of ours: its connection ends, the service does not
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        hello = await asyncio.wait_for(_read(reader), HELLO_TIMEOUT_S)
        if hello.kind is not Kind.HELLO:
            raise ProtocolError("the first frame is no HELLO")
        version, bundle_hash = parse_hello(hello.body)
        refusal = ""
        if version != SERVER_PROTOCOL_VERSION:
            refusal = f"the server speaks protocol {SERVER_PROTOCOL_VERSION}, the client {version}"
        elif bundle_hash != self.bundle_hash:
            refusal = f"the server serves bundle {self.bundle_hash.hex()[:12]}, not {bundle_hash.hex()[:12]}"
            refusal += f"; its payloads are {self.packing}" if self.packing else ""
        writer.write(pack_frame(Kind.REFUSED, refusal.encode()) if refusal else pack_frame(Kind.WELCOME))
        await writer.drain()
        return not refusal

    def _handle(self, frame: ServerFrame, writer: asyncio.StreamWriter) -> None:
        if frame.kind is Kind.PING:
            writer.write(pack_frame(Kind.PONG, frame.body))
            return
        if frame.kind is not Kind.INFER:
            raise ProtocolError(f"a client sent {frame.kind.name}")
        number, request = parse_request(frame.body)

        def reply(answer: Answer) -> None:
            if not writer.is_closing():
                writer.write(pack_answer(number, answer))

        self._batcher.submit(request, reply)


async def _read(reader: asyncio.StreamReader) -> ServerFrame:
    length = frame_length(await reader.readexactly(LENGTH.size))
    return parse_frame(await reader.readexactly(length))
