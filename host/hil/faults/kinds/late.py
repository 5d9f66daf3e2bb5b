"""Frames that come late, and times in which none comes at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

from hil.faults.kind import Kind, Layer, Setting
from hil.faults.kinds.frames import FRAME, FrameInjection
from hil.faults.outcome import Outcome
from hil.faults.values import quantity
from hil.faults.wire import FrameChannel, Passed, Seen
from hil.wire.transport import Channel


class LatencySpike(FrameInjection):
    """Delays a frame, and by that whatever follows it on the same way."""

    def strike(self, seen: Seen) -> Sequence[Passed]:
        self.took_place(f"{seen.name} {seen.way} {self.settings['ms']:g} ms later")
        return (Passed(seen.encoded, self.settings["ms"] / 1000),)


class LinkOutage(FrameInjection):
    """From one frame on nothing passes either way, for a time of the board's clock."""

    def __init__(self, settings: Mapping[str, Any], random: Random) -> None:
        super().__init__(settings, random)
        self._channel: Channel | None = None
        self._until_s = 0.0

    def channel(self, channel: Channel) -> Channel:
        self._channel = channel
        self._until_s = 0.0  # a board that was started anew has a new clock
        return FrameChannel(channel, self._filter)

    def strike(self, seen: Seen) -> Sequence[Passed]:
        if not self._is_out:
            self._until_s = self._now_s + self.settings["seconds"]
        return self.let(seen)

    def let(self, seen: Seen) -> Sequence[Passed]:
        if not self._is_out:
            return (Passed(seen.encoded),)
        self.took_place(f"nothing passes for {self.settings['seconds']:g} s, from or before {seen.name} on")
        return ()

    @property
    def _now_s(self) -> float:
        return self._channel.now_s() if self._channel else 0.0

    @property
    def _is_out(self) -> bool:
        return self._now_s < self._until_s


LATENCY_SPIKE: Final = Kind(
    "latency-spike",
    Layer.LINK,
    "a frame comes late, and what follows it on the same way with it",
    frozenset({Outcome.ANSWERED, Outcome.RETRIED, Outcome.LOCAL, Outcome.FALLBACK}),
    LatencySpike,
    (FRAME, Setting("ms", 150.0, quantity(0.001, 60_000), "ms", "so much later")),
    trials=("rate=0.9", "rate=0.9,ms=20", "rate=0.5,ms=1100"),
    usual=500,
)
LINK_OUTAGE: Final = Kind(
    "link-outage",
    Layer.LINK,
    "nothing passes either way for a time",
    frozenset({Outcome.RETRIED, Outcome.FALLBACK, Outcome.ANSWERED, Outcome.LOCAL, Outcome.FAILED}),
    LinkOutage,
    (FRAME, Setting("seconds", 0.5, quantity(0.001, 60), "s", "so long, by the board's clock")),
    usual=200,
    trials=("rate=0.5,seconds=0.2", "rate=0.4", "rate=0.2,seconds=2"),
)
