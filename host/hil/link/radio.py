"""A radio as a model: how long a message is on its way, how often it is repeated, what it draws.

The model is one of message transfer, not of a MAC layer: a message is cut into packets, every try
of a packet costs its airtime, a lost try also costs a timeout, and a packet lost in all its tries
loses the message. Draws come from a generator seeded with (seed, sample, direction), so a
transfer's fate does not depend on what was sent before it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np


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
class Transfer:
    """One message's way over the radio."""

    seconds: float
    """From the first bit's departure to the last bit's arrival; until the sender gave up if `lost`."""
    packets: int
    retransmissions: int
    lost: bool
    airtime_s: float
    """Time the transmitter was on, all tries included."""


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

    @property
    def instant(self) -> bool:
        """No radio at all: the wire alone takes time, and nothing draws current."""
        return math.isinf(self.bandwidth_bps)

    def packet_sizes(self, message_bytes: int) -> list[int]:
        """Bytes on the air of every packet of a message."""
        full, rest = divmod(message_bytes, self.mtu_bytes)
        return [size + self.overhead_bytes for size in [self.mtu_bytes] * full + [rest] * (rest > 0)]

    def transfer(self, message_bytes: int, direction: Direction, *, seed: int, sample: int) -> Transfer:
        """How `message_bytes` of sample number `sample` fare in a run seeded with `seed`."""
        if self.instant:
            return Transfer(0.0, 0, 0, False, 0.0)
        draws = np.random.default_rng([seed, sample, int(direction)])
        jitter_s = float(draws.uniform(-1.0, 1.0)) * self.jitter_s
        airtime_s = waited_s = 0.0
        repeats, lost = 0, False
        sizes = self.packet_sizes(message_bytes)
        for size in sizes:
            losses = self._losses(draws)
            lost = losses == self.tries
            airtime_s += min(losses + 1, self.tries) * 8 * size / self.bandwidth_bps
            waited_s += losses * self.timeout_s
            repeats += min(losses, self.tries - 1)
            if lost:
                break
        seconds = max(0.0, self.latency_s + jitter_s) + airtime_s + waited_s
        return Transfer(seconds, len(sizes), repeats, lost, airtime_s)

    def _losses(self, draws: np.random.Generator) -> int:
        """How many tries of a packet in a row are lost, at most `tries`."""
        if self.loss <= 0:
            return 0
        for count in range(self.tries):
            if draws.random() >= self.loss:
                return count
        return self.tries
