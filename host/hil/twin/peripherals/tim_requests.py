"""DMA requests of a timer (RM0385 22.4.4, 22.3.26): update, compare and capture, trigger, bursts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hil.twin.peripherals import tim_registers as r
from hil.twin.peripherals.dma import Request
from hil.twin.peripherals.dma_requests import REQUESTS

if TYPE_CHECKING:
    from hil.twin.peripherals.tim import Timer
    from hil.twin.peripherals.tim_counter import Events

_SOURCES = (
    ("UP", r.TIM_DIER_UDE),
    *((f"CH{n + 1}", r.TIM_DIER_CC1DE << n) for n in range(4)),
    ("COM", r.TIM_DIER_COMDE),
    ("TRIG", r.TIM_DIER_TDE),
)


class TimerRequests:
    """Requests stay until a stream serves them; clearing the enable in DIER takes them back."""

    def __init__(self, timer: Timer) -> None:
        self._timer = timer
        self._dma = timer.machine.dma
        self._waiting: dict[int, int] = {}
        """Unserved requests by their bit in DIER."""
        self._burst_left = 0
        self._serving = False
        self._requests: dict[int, Request] = {}
        for source, bit in _SOURCES:
            name = f"{timer.name}_{source}"
            if name in REQUESTS:
                self._requests[bit] = Request(name, None, self.serve, timer.sync)
                self._dma.connect(self._requests[bit])

    def reset(self) -> None:
        self._waiting = {}
        self._burst_left = 0

    def on_events(self, events: Events) -> None:
        """Counting made requests; CCDS has those of the channels wait for the update."""
        dier = self._timer.registers.get(r.TIM_DIER, 0)
        if not dier & r.TIM_DIER_DMA:
            return
        if events.updates:
            self._raise(r.TIM_DIER_UDE, events.updates)
        at_update = self._timer.registers.get(r.TIM_CR2, 0) & r.TIM_CR2_CCDS
        for channel in range(self._timer.model.channels):
            if self._timer.outputs.is_output(channel):
                count = events.updates if at_update else events.matches[channel]
                self._raise(r.TIM_DIER_CC1DE << channel, count)
        self.serve()

    def on_compare(self, channel: int) -> None:
        """A capture, or EGR.CCxG."""
        self._raise(r.TIM_DIER_CC1DE << channel, 1)
        self.serve()

    def on_trigger(self) -> None:
        """TIF was set."""
        self._raise(r.TIM_DIER_TDE, 1)
        self.serve()

    def on_commutation(self) -> None:
        """COMIF was set."""
        self._raise(r.TIM_DIER_COMDE, 1)
        self.serve()

    def on_update(self) -> None:
        """An update that no counting made: UG or a slave's reset, with URS clear."""
        self._raise(r.TIM_DIER_UDE, 1)
        self.serve()

    def take_back(self, dier: int) -> None:
        """DIER was written: what is no longer enabled no longer waits."""
        self._waiting = {bit: count for bit, count in self._waiting.items() if dier & bit}

    def _raise(self, bit: int, count: int) -> None:
        if count and bit in self._requests and self._timer.registers.get(r.TIM_DIER, 0) & bit:
            self._waiting[bit] = self._waiting.get(bit, 0) + count

    def serve(self) -> None:
        """Serves what waits, the stream of the highest priority first."""
        if self._serving:
            return
        self._serving = True
        try:
            while waiting := [self._requests[bit] for bit in self._waiting]:
                request = self._dma.first(waiting)
                if request is None:
                    break
                self._take_one(request)
                self._burst_left = 0
                while self._dma.serve(request) and self._burst_left:
                    pass
        finally:
            self._serving = False
        # A line is high or low: events that no stream was there to serve leave one request behind.
        self._waiting = dict.fromkeys(self._waiting, 1)

    def _take_one(self, request: Request) -> None:
        bit = next(bit for bit, known in self._requests.items() if known is request)
        self._waiting[bit] -= 1
        if not self._waiting[bit]:
            del self._waiting[bit]

    def burst_register(self) -> int:
        """The register that an access to DMAR means: DBA, and on through DBL + 1 of them."""
        dcr = self._timer.registers.get(r.TIM_DCR, 0)
        length = (dcr >> 8 & 0x1F) + 1
        left = self._burst_left or length
        self._burst_left = left - 1
        return ((dcr & 0x1F) + length - left) * 4
