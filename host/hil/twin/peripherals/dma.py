"""Direct memory access (RM0385 chapter 8): eight streams a controller.

A peripheral asks for its stream by the name of its request. One that knows its own pace moves many
items at once, and `sync` lets it bring the count up to date when firmware looks in the middle; one
whose requests come one by one, as a timer's do, has each served.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hil.twin.machine import Machine
from hil.twin.peripherals.dma_port import DmaPort
from hil.twin.peripherals.dma_requests import REQUESTS
from hil.twin.peripherals.dma_stream import Stream
from hil.twin.peripherals.peripheral import Peripheral

DMA_LISR, DMA_HISR, DMA_LIFCR, DMA_HIFCR = 0x00, 0x04, 0x08, 0x0C
DMA_S0CR = 0x10
DMA_STREAM_BYTES = 0x18
DMA_STREAMS_END = DMA_S0CR + 8 * DMA_STREAM_BYTES
_FLAG_SHIFTS = (0, 6, 16, 22)


@dataclass
class Request:
    """A peripheral's end of a DMA request."""

    name: str
    direction: int | None
    """The only direction that makes sense; None for requests that come one by one, either way."""
    changed: Callable[[], None]
    """The stream was switched on, or off by firmware."""
    sync: Callable[[], None]
    """Bring the stream's count up to the present."""

    def fits(self, stream: Stream) -> bool:
        """Whether the stream moves data the way the peripheral does."""
        return self.direction is None or self.direction == stream.direction


class Dma(Peripheral):
    """One controller."""

    def __init__(self, machine: Machine, name: str, base: int, irqs: tuple[int, ...]) -> None:
        super().__init__(machine, name, base)
        self.copies_memory = name == "DMA2"
        """Only DMA2's peripheral port reaches memory (RM0385 8.3.6)."""
        self.port = DmaPort(machine, apb1_only=name == "DMA1")
        self.streams = [Stream(self, index, irq) for index, irq in enumerate(irqs)]
        self._requests: dict[tuple[int, int], list[Request]] = {}

    def reset(self) -> None:
        super().reset()
        for stream in self.streams:
            was_enabled = stream.enabled
            stream.reset()
            if was_enabled:
                self.changed(stream)

    def connect(self, stream: int, channel: int, request: Request) -> None:
        """`request` arrives at `stream` when it selects `channel`."""
        self._requests.setdefault((stream, channel), []).append(request)

    def changed(self, stream: Stream) -> bool:
        """Tells the peripherals behind `stream`; False when there is none."""
        requests = [request for request in self._behind(stream) if request.fits(stream)]
        if stream.enabled and any(request.direction is None for request in requests):
            stream.read_ahead()
        for request in requests:
            request.changed()
        return bool(requests)

    def sync(self, stream: Stream) -> None:
        """Brings `stream` up to the present."""
        if stream.enabled:
            if stream.copy.active:
                stream.copy.sync()
            for request in self._behind(stream):
                request.sync()

    def schedule_copies(self) -> None:
        """Of the memory-to-memory transfers, only the one of the highest priority goes on."""
        waiting = [stream for stream in self.streams if stream.copy.active]
        first = min(waiting, key=lambda stream: stream.priority, default=None)
        for stream in sorted(waiting, key=lambda stream: stream is first):
            stream.copy.run(stream is first)

    def _behind(self, stream: Stream) -> list[Request]:
        return self._requests.get((stream.index, stream.channel), [])

    def read(self, offset: int) -> int:
        if offset < DMA_S0CR:
            return self._flags(offset)
        if offset >= DMA_STREAMS_END:
            return 0
        stream, register = self._locate(offset)
        self.sync(stream)
        return stream.read(register)

    def peek(self, offset: int) -> int:
        return 0 if offset < DMA_S0CR else self.read(offset)

    def write(self, offset: int, value: int) -> None:
        if DMA_S0CR <= offset < DMA_STREAMS_END:
            stream, register = self._locate(offset)
            stream.write(register, value)
        elif offset in (DMA_LIFCR, DMA_HIFCR):
            first = 0 if offset == DMA_LIFCR else 4
            for stream, shift in zip(self.streams[first : first + 4], _FLAG_SHIFTS, strict=True):
                self.sync(stream)
                stream.flags &= ~(value >> shift & 0x3D)
                stream.update_line()

    def _flags(self, offset: int) -> int:
        if offset not in (DMA_LISR, DMA_HISR):
            return 0
        first = 0 if offset == DMA_LISR else 4
        streams = self.streams[first : first + 4]
        for stream in streams:
            self.sync(stream)
        return sum(stream.flags << shift for stream, shift in zip(streams, _FLAG_SHIFTS, strict=True))

    def _locate(self, offset: int) -> tuple[Stream, int]:
        index, register = divmod(offset - DMA_S0CR, DMA_STREAM_BYTES)
        return self.streams[index], register


class DmaRequests:
    """Finds the stream that serves a peripheral's request."""

    def __init__(self, controllers: dict[str, Dma]) -> None:
        self._controllers = controllers
        self._served_by = {
            name: [
                (controllers[controller].streams[stream], channel) for controller, stream, channel in places
            ]
            for name, places in REQUESTS.items()
        }

    def connect(self, request: Request) -> None:
        """Wires `request` to all streams that can serve it."""
        for controller, stream, channel in REQUESTS[request.name]:
            self._controllers[controller].connect(stream, channel, request)

    def stream(self, request: Request) -> Stream | None:
        """The enabled stream that has selected `request`."""
        for stream, channel in self._served_by[request.name]:
            if stream.enabled and stream.channel == channel and request.fits(stream):
                return stream
        return None

    def first(self, requests: list[Request]) -> Request | None:
        """The request that the arbiter serves first; None when no stream is there for any."""
        served = [(s.priority, request) for request in requests if (s := self.stream(request)) is not None]
        return min(served, key=lambda pair: pair[0])[1] if served else None

    def serve(self, request: Request) -> bool:
        """Moves what one request asks for; False when no stream takes it."""
        stream = self.stream(request)
        if stream is None:
            return False
        stream.serve()
        return True
