"""Emulated devices: any number of connections in one process, which ask with real payloads and keep time."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hil.errors import ProtocolError, ServerError
from hil.server.answer import Answer, Request, Status
from hil.server.protocol import (
    LENGTH,
    Hello,
    Kind,
    frame_length,
    pack_hello,
    pack_request,
    parse_answer,
    parse_frame,
    parse_refusal,
)

_CONNECT_S = 30.0
_LAST_S = 10.0
"""So long are the last answers waited for."""
_AT_ONCE = 100
"""Connections that are opened together."""


@dataclass(frozen=True)
class Load:
    """How a server is asked."""

    devices: int
    seconds: float
    rate_per_s: float | None = None
    """Requests of all devices together, at random times whether or not earlier ones are answered (open loop);
    None: each device asks again as soon as it is answered (closed loop)."""
    warm_s: float = 1.0
    """Asked before, and not counted."""
    seed: int = 0


@dataclass(frozen=True)
class Driven:
    """What came of it."""

    load: Load
    statuses: dict[str, int]
    """Answers by status, to requests that were due within `Load.seconds`; LOST: none came."""
    handled: int
    """All answers, also before and after that time."""
    latency_ms: NDArray[np.float64] = field(repr=False)
    """(answered,) from the time a request was due to its answer, of those that are OK."""
    server_ms: NDArray[np.float64] = field(repr=False)
    """(answered,) decoding and inference, as the server says."""

    @property
    def asked(self) -> int:
        return sum(self.statuses.values())

    def share(self, status: str) -> float:
        """Of what was asked."""
        return self.statuses.get(status, 0) / self.asked if self.asked else 0.0

    @property
    def throughput_per_s(self) -> float:
        return self.statuses.get("OK", 0) / self.load.seconds

    def latency(self, percent: float) -> float | None:
        """A percentile in milliseconds; None where nothing was answered."""
        return float(np.percentile(self.latency_ms, percent)) if self.latency_ms.size else None


async def drive(host: str, port: int, bundle_hash: bytes, payloads: Sequence[bytes], load: Load) -> Driven:
    """Connects all devices and asks. Raises ServerError when one is not let in, or the server leaves."""
    crowd = _Crowd(payloads, load)
    try:
        await crowd.connect(host, port, bundle_hash)
        crowd.begin()
        await (crowd.ask_openly() if load.rate_per_s else crowd.ask_closely())
        await crowd.last_answers()
        return crowd.driven()
    finally:
        crowd.close()


class _Device(asyncio.Protocol):
    """One connection."""

    def __init__(
        self, name: str, bundle_hash: bytes, answered: Callable[[_Device, int, Answer], None]
    ) -> None:
        self.due_s: dict[int, float] = {}
        """When the requests under way were due, by number."""
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.reason = ""
        self._hello = pack_hello(Hello(bundle_hash, name))
        self._answered = answered
        self._buffer = bytearray()
        self._number = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._hello)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        try:
            while len(self._buffer) >= LENGTH.size:
                end = LENGTH.size + frame_length(bytes(self._buffer[: LENGTH.size]))
                if len(self._buffer) < end:
                    return
                frame = parse_frame(bytes(self._buffer[LENGTH.size : end]))
                del self._buffer[:end]
                if frame.kind is Kind.ANSWER:
                    self._answered(self, *parse_answer(frame.body))
                elif frame.kind is Kind.WELCOME:
                    self.ready.set_result(None)
                else:
                    refused = frame.kind is Kind.REFUSED
                    self.reason = parse_refusal(frame.body)[1] if refused else frame.body.decode()
        except ProtocolError as error:
            self.reason = error.message
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self.reason = self.reason or str(error or "it closed the connection")
        if not self.ready.done():
            self.ready.set_exception(
                ServerError(f"a device was not let in: {self.reason}", "see the server's log")
            )

    def ask(self, payload: bytes, due_s: float) -> None:
        self._number += 1
        self.due_s[self._number] = due_s
        self._transport.write(pack_request(self._number, Request(payload)))

    def close(self) -> None:
        self._transport.abort()


class _Crowd:
    """All devices of one load, and their book."""

    def __init__(self, payloads: Sequence[bytes], load: Load) -> None:
        self._payloads = payloads
        self._load = load
        self._rng = np.random.default_rng(load.seed)
        self._next = 0
        self._devices: list[_Device] = []
        self._statuses: Counter[str] = Counter()
        self._latency_s: list[float] = []
        self._server_us: list[int] = []
        self._again = False
        self._handled = 0

    async def connect(self, host: str, port: int, bundle_hash: bytes) -> None:
        loop = asyncio.get_running_loop()
        waiting = list(range(self._load.devices))
        while waiting:
            some, waiting = waiting[:_AT_ONCE], waiting[_AT_ONCE:]
            devices = [_Device(f"device-{number}", bundle_hash, self._answered) for number in some]
            try:
                for device in devices:
                    await loop.create_connection(lambda device=device: device, host, port)  # type: ignore[misc]
                    self._devices.append(device)
                await asyncio.wait_for(asyncio.gather(*(device.ready for device in devices)), _CONNECT_S)
            except (OSError, TimeoutError) as error:
                raise ServerError(
                    f"{host}:{port} does not take {self._load.devices} devices: {error}"
                ) from None

    def begin(self) -> None:
        self._begin_s = time.monotonic() + self._load.warm_s
        self._end_s = self._begin_s + self._load.seconds

    async def ask_openly(self) -> None:
        """Poisson arrivals, each at a device of its own turn; a late one is counted from when it was due."""
        assert self._load.rate_per_s
        due_s = self._begin_s - self._load.warm_s
        turn = 0
        while due_s < self._end_s:
            if (wait_s := due_s - time.monotonic()) > 0:
                await asyncio.sleep(wait_s)
            now_s = time.monotonic()
            while due_s <= now_s and due_s < self._end_s:
                self._devices[turn % len(self._devices)].ask(self._payload(), due_s)
                turn += 1
                due_s += float(self._rng.exponential(1 / self._load.rate_per_s))
            await asyncio.sleep(0)
            self._all_there()

    async def ask_closely(self) -> None:
        """One request of each device under way, always."""
        self._again = True
        for device in self._devices:
            device.ask(self._payload(), time.monotonic())
        while (left_s := self._end_s - time.monotonic()) > 0:
            await asyncio.sleep(min(left_s, 0.2))
            self._all_there()
        self._again = False

    async def last_answers(self) -> None:
        until_s = time.monotonic() + _LAST_S
        while any(device.due_s for device in self._devices) and time.monotonic() < until_s:
            await asyncio.sleep(0.01)
        for device in self._devices:
            self._statuses["LOST"] += sum(self._counts(due_s) for due_s in device.due_s.values())

    def driven(self) -> Driven:
        statuses = {name: count for name, count in self._statuses.items() if count}
        latency_ms, server_ms = 1e3 * np.array(self._latency_s), 1e-3 * np.array(self._server_us, np.float64)
        return Driven(self._load, statuses, self._handled, latency_ms, server_ms)

    def close(self) -> None:
        for device in self._devices:
            device.close()

    def _answered(self, device: _Device, number: int, answer: Answer) -> None:
        now_s = time.monotonic()
        due_s = device.due_s.pop(number)
        self._handled += 1
        # Closed loop: what was answered within the time; open loop: what was due within it.
        if self._counts(now_s if self._load.rate_per_s is None else due_s):
            self._statuses[answer.status.name] += 1
            if answer.status is Status.OK:
                self._latency_s.append(now_s - due_s)
                self._server_us.append(answer.server_us)
        if self._again:
            device.ask(self._payload(), now_s)

    def _counts(self, at_s: float) -> bool:
        return self._begin_s <= at_s < self._end_s

    def _payload(self) -> bytes:
        self._next += 1
        return self._payloads[self._next % len(self._payloads)]

    def _all_there(self) -> None:
        for device in self._devices:
            if device.reason:
                raise ServerError(f"a device was left alone: {device.reason}", "see the server's log")
