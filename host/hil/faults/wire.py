"""The wire frame by frame: what injections of the link see, and what they let through."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hil.wire import frames
from hil.wire.frames import Frame
from hil.wire.protocol import FrameType
from hil.wire.transport import AdjustableRate, Channel


class Way(StrEnum):
    """Which way a frame goes."""

    DOWN = "to the device"
    UP = "to the host"


@dataclass(frozen=True)
class Seen:
    """A frame on the wire, with the zeros around it."""

    way: Way
    encoded: bytes

    @property
    def frame(self) -> Frame | None:
        """None where it is damaged."""
        decoded = frames.decode(self.encoded.strip(b"\0"))
        return decoded if isinstance(decoded, Frame) else None

    @property
    def name(self) -> str:
        """Its type, in lower case."""
        frame = self.frame
        known = frame is not None and frame.kind in list(FrameType)
        return FrameType(frame.kind).name.lower() if frame is not None and known else "noise"


@dataclass(frozen=True)
class Passed:
    """What arrives of a frame, and how much later than it would have."""

    data: bytes
    delay_s: float = 0.0


Filter = Callable[[Seen], Sequence[Passed]]


class FrameChannel:
    """A channel whose frames all go through `let`."""

    def __init__(self, channel: Channel, let: Filter) -> None:
        self._channel = channel
        self._let = let
        self._begun = bytearray()
        self._held: deque[tuple[float, bytes]] = deque()

    def now_s(self) -> float:
        return self._channel.now_s()

    def byte_s(self) -> float:
        return self._channel.byte_s()

    def set_baud(self, baud: int) -> None:
        """See AdjustableRate; where the channel has no rate of its own nothing happens."""
        if isinstance(self._channel, AdjustableRate):
            self._channel.set_baud(baud)

    def write(self, data: bytes, at_s: float | None = None) -> None:
        """See Channel. A transport writes one frame at a time."""
        for passed in self._let(Seen(Way.DOWN, data)):
            later_s = max(at_s or 0.0, self.now_s()) + passed.delay_s if passed.delay_s else at_s
            self._channel.write(passed.data, later_s)

    def read(self, until_s: float) -> bytes:
        """See Channel: whole frames, as they come or when their delay is over."""
        while True:
            due_s = self._held[0][0] if self._held else until_s
            if self._held and due_s <= self.now_s():
                return self._held.popleft()[1]
            data = self._channel.read(min(until_s, due_s))
            if arrived := self._take(data):
                return arrived
            if not data and self.now_s() >= until_s:
                return b""

    def _take(self, data: bytes) -> bytes:
        """What is delivered at once of the frames that `data` completes."""
        arrived = bytearray()
        for byte in data:
            self._begun.append(byte)
            if byte == 0 and len(self._begun) > 1:
                for passed in self._let(Seen(Way.UP, bytes(self._begun))):
                    if passed.delay_s or self._held:
                        last_s = self._held[-1][0] if self._held else 0.0
                        self._held.append((max(last_s, self.now_s() + passed.delay_s), passed.data))
                    else:
                        arrived += passed.data
                self._begun.clear()
        return bytes(arrived)
