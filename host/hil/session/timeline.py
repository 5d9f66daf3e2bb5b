"""When what happened in one inference, on one clock: what the stages' sums do not say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hil.link.radio import Transfer
from hil.wire.to_host import StageCycles

if TYPE_CHECKING:
    from hil.session.exchange import Exchange


@dataclass(frozen=True)
class Piece:
    """A part of the payload is with the radio. Rows that are computed become parts as they settle."""

    ready_ms: float
    message_bytes: int
    """Of the payload up to and with this part."""


@dataclass(frozen=True)
class Packet:
    """A packet on the air, or on the wire where there is no radio."""

    begun_ms: float
    through_ms: float
    """Its last bit left the sender, all tries included."""
    arrived_ms: float | None
    """None: lost in all its tries, and the message with it."""
    message_bytes: int
    tries: int


@dataclass(frozen=True)
class Timeline:
    """Milliseconds from the begin of the inference, of a payload that left the device."""

    pieces: tuple[Piece, ...] = ()
    uplink: tuple[Packet, ...] = ()
    server_ms: float | None = None
    """When the server half began; None: it was not asked."""
    downlink: tuple[Packet, ...] = ()


def timeline_of(exchange: Exchange, cycles: StageCycles, clock_hz: int) -> Timeline | None:
    """The device's clock and the radio's meet where the payload's first bit leaves. None: none left."""
    if exchange.uplink is None:
        return None
    own = cycles.graph + cycles.quantise + cycles.encode + cycles.frame
    start_ms = 1000 * (own - cycles.overlap) / clock_hz
    pieces = tuple(Piece(start_ms + 1000 * part.seconds, part.message_bytes) for part in exchange.ready)
    wire_s = exchange.payload_end_s - exchange.payload_start_s
    uplink = _packets(exchange.uplink, start_ms, wire_s)
    if exchange.request_s is None:
        return Timeline(pieces, uplink)
    server_ms = start_ms + 1000 * (exchange.request_s - exchange.payload_start_s)
    reply_ms = server_ms + 1000 * exchange.remote_s
    down = exchange.downlink
    arrival_s = exchange.arrival_s
    reply_s = 0.0 if arrival_s is None else arrival_s - exchange.request_s - exchange.remote_s
    downlink = () if down is None else _packets(down, reply_ms, reply_s)
    return Timeline(pieces, uplink, server_ms, downlink)


def _packets(transfer: Transfer, start_ms: float, wire_s: float) -> tuple[Packet, ...]:
    """Of a message whose first bit left at `start_ms`; one that no radio carried took the wire `wire_s`."""
    if transfer.packets == 0:
        return tuple(
            Packet(start_ms, start_ms + 1000 * wire_s, start_ms + 1000 * wire_s, arrival.message_bytes, 1)
            for arrival in transfer.arrivals
        )
    found: list[Packet] = []
    there = repeats = 0
    through_s = 0.0
    for arrival in transfer.arrivals:
        through_s = arrival.seconds - transfer.latency_s
        found.append(
            Packet(
                start_ms + 1000 * arrival.begun_s,
                start_ms + 1000 * through_s,
                start_ms + 1000 * arrival.seconds,
                arrival.message_bytes - there,
                1 + arrival.retransmissions - repeats,
            )
        )
        there, repeats = arrival.message_bytes, arrival.retransmissions
    if transfer.lost:
        ended_s = max(through_s, transfer.seconds - transfer.latency_s)
        tries = 1 + transfer.retransmissions - repeats
        found.append(Packet(start_ms + 1000 * through_s, start_ms + 1000 * ended_s, None, 0, tries))
    return tuple(found)
