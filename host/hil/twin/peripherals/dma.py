"""Direct memory access (RM0385 chapter 8): eight streams a controller, moved in bulk.

A peripheral asks for its stream by the name of its request and moves many items at once; `sync`
lets it bring the count up to date when firmware looks in the middle of a transfer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hil.twin.machine import Machine
from hil.twin.peripherals.dma_stream import DMA_SXNDTR, Stream
from hil.twin.peripherals.peripheral import Peripheral

DMA_LISR, DMA_HISR, DMA_LIFCR, DMA_HIFCR = 0x00, 0x04, 0x08, 0x0C
DMA_S0CR = 0x10
DMA_STREAM_BYTES = 0x18
_FLAG_SHIFTS = (0, 6, 16, 22)

REQUESTS: dict[str, tuple[tuple[str, int, int], ...]] = {
    "USART1_RX": (("DMA2", 2, 4), ("DMA2", 5, 4)),
    "USART1_TX": (("DMA2", 7, 4),),
    "USART2_RX": (("DMA1", 5, 4),),
    "USART2_TX": (("DMA1", 6, 4),),
    "USART3_RX": (("DMA1", 1, 4),),
    "USART3_TX": (("DMA1", 3, 4), ("DMA1", 4, 7)),
    "UART4_RX": (("DMA1", 2, 4),),
    "UART4_TX": (("DMA1", 4, 4),),
    "UART5_RX": (("DMA1", 0, 4),),
    "UART5_TX": (("DMA1", 7, 4),),
    "USART6_RX": (("DMA2", 1, 5), ("DMA2", 2, 5)),
    "USART6_TX": (("DMA2", 6, 5), ("DMA2", 7, 5)),
    "UART7_RX": (("DMA1", 3, 5),),
    "UART7_TX": (("DMA1", 1, 5),),
    "UART8_RX": (("DMA1", 6, 5),),
    "UART8_TX": (("DMA1", 0, 5),),
}
"""Controller, stream and channel of each request (RM0385 tables 25 and 26)."""


@dataclass
class Request:
    """A peripheral's end of a DMA request."""

    name: str
    direction: int
    changed: Callable[[], None]
    """The stream was switched on, or off by firmware."""
    sync: Callable[[], None]
    """Bring the stream's count up to the present."""


class Dma(Peripheral):
    """One controller."""

    def __init__(self, machine: Machine, name: str, base: int, irqs: tuple[int, ...]) -> None:
        super().__init__(machine, name, base)
        self.streams = [Stream(self, index, irq) for index, irq in enumerate(irqs)]
        self._requests: dict[tuple[int, int], Request] = {}

    def reset(self) -> None:
        super().reset()
        for stream in self.streams:
            was_enabled = stream.enabled
            stream.reset()
            if was_enabled:
                self.changed(stream)

    def connect(self, stream: int, channel: int, request: Request) -> None:
        """`request` arrives at `stream` when it selects `channel`."""
        self._requests[stream, channel] = request

    def changed(self, stream: Stream) -> bool:
        """Tells the peripheral behind `stream`; False when there is none."""
        request = self._requests.get((stream.index, stream.channel))
        if request is None or request.direction != stream.direction:
            return False
        request.changed()
        return True

    def sync(self, stream: Stream) -> None:
        """Brings `stream` up to the present."""
        request = self._requests.get((stream.index, stream.channel))
        if request is not None and stream.enabled:
            request.sync()

    def read(self, offset: int) -> int:
        if offset < DMA_S0CR:
            return self._flags(offset)
        stream, register = self._locate(offset)
        self.sync(stream)
        return stream.count if register == DMA_SXNDTR else stream.registers.get(register, 0)

    def peek(self, offset: int) -> int:
        return 0 if offset < DMA_S0CR else self.read(offset)

    def write(self, offset: int, value: int) -> None:
        if offset >= DMA_S0CR:
            stream, register = self._locate(offset)
            stream.write(register, value)
        elif offset in (DMA_LIFCR, DMA_HIFCR):
            first = 0 if offset == DMA_LIFCR else 4
            for stream, shift in zip(self.streams[first : first + 4], _FLAG_SHIFTS, strict=True):
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
        return self.streams[min(index, 7)], register


class DmaRequests:
    """Finds the stream that serves a peripheral's request."""

    def __init__(self, controllers: dict[str, Dma]) -> None:
        self._controllers = controllers

    def connect(self, request: Request) -> None:
        """Wires `request` to all streams that can serve it."""
        for controller, stream, channel in REQUESTS[request.name]:
            self._controllers[controller].connect(stream, channel, request)

    def stream(self, request: Request) -> Stream | None:
        """The enabled stream that has selected `request`."""
        for controller, index, channel in REQUESTS[request.name]:
            stream = self._controllers[controller].streams[index]
            if stream.enabled and stream.channel == channel and stream.direction == request.direction:
                return stream
        return None
