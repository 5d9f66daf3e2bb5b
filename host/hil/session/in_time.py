"""What of a progressive payload the server half can still answer from before the device's deadline.

The server half is taken to know that deadline, how long it will compute (the time measured for this very
request, or the fixed one), and the longest that an undisturbed reply takes: it begins as late as these
allow, with the whole packets that have arrived by then, in order. A reply that the radio then delays
or loses is late or lost, as any other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from hil.boards.protocol import BoardInfo
from hil.bundle import Manifest
from hil.link.radio import Transfer
from hil.session.relay import Relayed
from hil.session.tolerance import tolerance_s

Ask = Callable[[bytes, bool], Relayed]
"""The server half's answer to bytes that are, or are not, a payload's first ones only."""


@dataclass(frozen=True)
class Planned:
    """An answer that can be back in time. Seconds count from the payload's first bit."""

    relayed: Relayed
    begun_s: float
    """When the server half begins: with a whole payload at once, else as late as it may."""
    whole: bool


@dataclass(frozen=True)
class Deadline:
    """What a run whose payloads are progressive has to keep."""

    seconds: float
    """How long the device waits, from the payload's first bit."""
    slack_s: float
    """By how much the clocks of host and device may differ meanwhile."""
    classes: int

    @classmethod
    def of(cls, manifest: Manifest, deadline_s: float, board: BoardInfo) -> Self | None:
        """None where the server half answers whole payloads only."""
        if manifest.payload is None or not manifest.payload.progressive:
            return None
        return cls(deadline_s, tolerance_s(deadline_s, board), manifest.classes)

    def latest_s(self, reply_s: float) -> float:
        """When a reply that takes `reply_s` must leave the server half."""
        return self.seconds - self.slack_s - reply_s


def answer_in_time(
    payload: bytes, uplink: Transfer, latest_s: float, expected_s: float, ask: Ask
) -> Planned | None:
    """The answer that leaves by `latest_s`, from as many of the bytes as arrive before it must begin.

    `expected_s` is the server half's usual time. An answer that took so long that its bytes would have
    come too late is asked for again, with fewer. None when no byte or no whole channel comes in time.
    """
    while size := uplink.arrived(latest_s - expected_s):
        whole = size == len(payload)
        relayed = ask(payload[:size], not whole)
        if relayed.logits is None and not whole:
            return None
        if uplink.arrived(latest_s - relayed.seconds) >= size:
            return Planned(relayed, uplink.seconds if whole else latest_s - relayed.seconds, whole)
        expected_s = relayed.seconds
    return None
