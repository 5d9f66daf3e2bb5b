"""A radio as a model: how long a message is on its way, how often it is repeated, what it draws.

The model is one of message transfer, not of a MAC layer: a message is cut into packets, every try
of a packet costs its airtime, a lost try also costs a timeout, and a packet lost in all its tries
loses the message. Draws come from a generator seeded with (seed, sample, direction), so a
transfer's fate does not depend on what was sent before it: a burst of losses spans the packets of
one message, and the next message finds the channel in a state of its own (docs/link.md).
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import repeat

import numpy as np

from hil.link.losses import lost_tries
from hil.link.outage import Outage


class Direction(IntEnum):
    """Seen from the device."""

    UPLINK = 0
    DOWNLINK = 1


@dataclass(frozen=True)
class Currents:
    """What the radio module draws, in milliamperes at `supply_volts`."""

    tx_ma: float
    rx_ma: float
    idle_ma: float
    """Associated and listening for the reply, or asleep between connection events."""
    supply_volts: float
    sleep_ma: float = 0.0
    """Before the payload and after the reply; 0: switched off."""
    ramp_s: float = 0.0
    """What the transmitter or receiver takes to come up, at its own current, for each packet."""


@dataclass(frozen=True)
class Ready:
    """A part of a message is with the radio, which cuts it into packets of its own."""

    message_bytes: int
    """Of the message up to and with this part."""
    seconds: float
    """After the message's first bit left; parts are in order."""


@dataclass(frozen=True)
class Arrival:
    """A packet of a message has arrived: all that was counted since the message began."""

    seconds: float
    message_bytes: int
    packets: int
    retransmissions: int
    airtime_s: float
    begun_s: float = 0.0
    """When its first bit left."""


@dataclass(frozen=True)
class Transfer:
    """One message's way over the radio."""

    seconds: float
    """From the first bit's departure to the last bit's arrival; until the sender gave up if `lost`."""
    packets: int
    """Those that were begun."""
    retransmissions: int
    lost: bool
    airtime_s: float
    """Time the transmitter was on, all tries included."""
    latency_s: float = 0.0
    """What each bit of it took beyond its airtime."""
    arrivals: tuple[Arrival, ...] = ()
    """One a packet, in order; those of a lost message end before the packet that was lost."""

    def arrived(self, after_s: float) -> int:
        """Bytes of the message that are there `after_s` seconds from its start: those of whole packets."""
        last = self._last(after_s)
        return last.message_bytes if last else 0

    def stopped(self, after_s: float) -> Transfer:
        """The same, had its sender stopped after `after_s` seconds; of a message that was ready as a whole.

        The packet under way costs the time since the one before it, at most its own airtime.
        """
        would_arrive_s = after_s + self.latency_s
        if would_arrive_s >= self.seconds:
            return self
        done = self._last(would_arrive_s) or Arrival(self.latency_s, 0, 0, 0, 0.0)
        later = self.arrivals[done.packets :]
        airtime_s = (later[0].airtime_s if later else self.airtime_s) - done.airtime_s
        return replace(
            self,
            seconds=after_s,
            packets=done.packets + 1,
            retransmissions=done.retransmissions,
            lost=True,
            airtime_s=done.airtime_s + min(airtime_s, would_arrive_s - done.seconds),
            arrivals=self.arrivals[: done.packets],
        )

    def _last(self, after_s: float) -> Arrival | None:
        count = bisect.bisect_right(self.arrivals, after_s, key=lambda arrival: arrival.seconds)
        return self.arrivals[count - 1] if count else None


@dataclass(frozen=True)
class Radio:
    """A modelled link. `bandwidth_bps` is what the application gets, so airtime includes MAC gaps."""

    name: str
    bandwidth_bps: float
    """Bits a second; infinite for a radio that takes no time."""
    latency_s: float = 0.0
    """Of every message, once."""
    jitter_s: float = 0.0
    """Latency varies uniformly by ± this much and never falls below zero."""
    loss: float = 0.0
    """Probability that one try of one packet is lost."""
    burst: float | None = None
    """Mean tries in a row that are lost; None: losses know nothing of each other."""
    outage: Outage | None = None
    """When nothing gets through; `for_run` makes samples of it."""
    mtu_bytes: int = 1460
    """Most message bytes in a packet."""
    overhead_bytes: int = 0
    """Headers and trailers of a packet."""
    tries: int = 8
    """Transmissions of a packet before the message is given up."""
    timeout_s: float = 0.002
    """How long the sender waits before it repeats a lost packet."""
    currents: Currents | None = None
    """None: unknown, so no energy can be modelled."""
    dead: range = range(0)
    """Samples of which every try is lost, whatever `loss` is."""

    @property
    def instant(self) -> bool:
        """No radio at all: the wire alone takes time, and nothing draws current."""
        return math.isinf(self.bandwidth_bps)

    def for_run(self, samples: int) -> Radio:
        """This radio in a run of so many samples. Raises UsageError when its outage comes after the run."""
        return self if self.outage is None else replace(self, dead=self.outage.samples(samples))

    def packet_sizes(self, message_bytes: int) -> list[int]:
        """Bytes on the air of every packet of a message."""
        full, rest = divmod(message_bytes, self.mtu_bytes)
        return [size + self.overhead_bytes for size in [self.mtu_bytes] * full + [rest] * (rest > 0)]

    def transfer(
        self,
        message_bytes: int,
        direction: Direction,
        *,
        seed: int,
        sample: int,
        ready: Sequence[Ready] = (),
    ) -> Transfer:
        """How `message_bytes` of sample number `sample` fare in a run seeded with `seed`.

        `ready` says when each part of the message is with the radio, all of it at once if not given. A
        packet begins when its part is there and the packet before it is through.
        """
        parts = tuple(ready) or (Ready(message_bytes, 0.0),)
        if self.instant:
            seconds = parts[-1].seconds
            return Transfer(seconds, 0, 0, False, 0.0, 0.0, (Arrival(seconds, message_bytes, 0, 0, 0.0),))
        draws = np.random.default_rng([seed, sample, int(direction)])
        jitter_s = float(draws.uniform(-1.0, 1.0)) * self.jitter_s
        latency_s = max(0.0, self.latency_s + jitter_s)
        airtime_s = waited_s = idle_s = 0.0
        repeats, there, lost = 0, 0, False
        fate = repeat(True) if sample in self.dead else lost_tries(draws, self.loss, self.burst)
        count = 0
        arrivals: list[Arrival] = []
        for count, (size, ready_s) in enumerate(self._packets(parts), 1):
            idle_s += max(0.0, ready_s - (airtime_s + waited_s + idle_s))
            begun_s = airtime_s + waited_s + idle_s
            losses = self._losses(fate)
            lost = losses == self.tries
            airtime_s += min(losses + 1, self.tries) * 8 * size / self.bandwidth_bps
            waited_s += losses * self.timeout_s
            repeats += min(losses, self.tries - 1)
            if lost:
                break
            there += size - self.overhead_bytes
            seconds = latency_s + airtime_s + waited_s + idle_s
            arrivals.append(Arrival(seconds, there, count, repeats, airtime_s, begun_s))
        seconds = latency_s + airtime_s + waited_s + idle_s
        return Transfer(seconds, count, repeats, lost, airtime_s, latency_s, tuple(arrivals))

    def _packets(self, parts: Sequence[Ready]) -> list[tuple[int, float]]:
        """Bytes on the air of every packet, and from when on it can be sent."""
        starts = (0, *(part.message_bytes for part in parts))
        return [
            (size, part.seconds)
            for start, part in zip(starts, parts, strict=False)
            for size in self.packet_sizes(part.message_bytes - start)
        ]

    def undisturbed_s(self, message_bytes: int) -> float:
        """The longest that a message takes of which no packet is lost."""
        if self.instant:
            return 0.0
        bits = 8 * sum(self.packet_sizes(message_bytes))
        return self.latency_s + self.jitter_s + bits / self.bandwidth_bps

    def _losses(self, fate: Iterator[bool]) -> int:
        """How many tries of a packet in a row are lost, at most `tries`."""
        return next((count for count in range(self.tries) if not next(fate)), self.tries)
