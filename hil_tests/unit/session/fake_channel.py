"""A wire in virtual time between the host and a firmware written in Python."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

Noise = Callable[[str, bytes], bytes]
"""(direction, bytes) → what arrives of them."""


class VirtualWire:
    """The host's Channel, and the clock and UART of the device at its other end."""

    def __init__(self, baud: int = 921_600, noise: Noise = lambda direction, data: data) -> None:
        self.now = 0.0
        self.baud = baud
        self.noise = noise
        self.on_bytes: Callable[[bytes], None] = lambda data: None
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._free = {"host": 0.0, "device": 0.0}
        self._arrived = bytearray()

    def now_s(self) -> float:
        return self.now

    def byte_s(self) -> float:
        return 10 / self.baud

    def write(self, data: bytes, at_s: float | None = None) -> None:
        self._send("host", data, at_s or 0.0, lambda seen: self.on_bytes(seen))

    def device_write(self, data: bytes) -> float:
        """Sends to the host; returns when the first bit leaves."""
        return self._send("device", data, 0.0, self._arrived.extend)

    def read(self, until_s: float) -> bytes:
        while self._events and self._events[0][0] <= until_s:
            self.now, _, action = heapq.heappop(self._events)
            action()
            if self._arrived:
                data = bytes(self._arrived)
                self._arrived.clear()
                return data
        self.now = max(self.now, until_s)
        return b""

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._order), action))

    def _send(self, side: str, data: bytes, at_s: float, deliver: Callable[[bytes], None]) -> float:
        start = max(self.now, at_s, self._free[side])
        end = start + len(data) * self.byte_s()
        self._free[side] = end
        seen = self.noise(side, data)
        self.after(end - self.now, lambda: deliver(seen))
        return start
