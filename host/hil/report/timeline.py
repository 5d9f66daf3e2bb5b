"""One inference as lanes of bars: which part of device, radio and server half was busy when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Final

from hil.report import format as fmt
from hil.report import glyphs as g
from hil.session.events import LatencyParts, SampleRecord
from hil.session.timeline import Packet, Timeline
from hil.wire.to_host import StageCycles

Summary = Mapping[str, Any]

IDLE: Final = ""
"""The colour of a bar in which nothing is done: the view's own."""


@dataclass(frozen=True)
class Bar:
    """Something lasts from `begin_ms` to `end_ms`."""

    begin_ms: float
    end_ms: float
    label: str
    colour: str
    detail: str
    tail_ms: float | None = None
    """Until when its last bit is still on its way."""


@dataclass(frozen=True)
class Lane:
    """What one part of the system does."""

    name: str
    source: str
    bars: tuple[Bar, ...]
    marks: tuple[tuple[float, str], ...] = ()
    """Moments, and what happens then."""


@dataclass(frozen=True)
class Chart:
    """One inference; 0 is when the device began, with the input in its memory."""

    title: str
    lanes: tuple[Lane, ...]
    total_ms: float
    own_ms: float
    """The device has computed and encoded everything."""
    hidden_ms: float
    """So long before that the payload's first bit left."""


def median_sample(records: Iterable[SampleRecord]) -> SampleRecord | None:
    """The sample of median latency, the faster one of two; None when no sample has any."""
    timed = [record for record in records if record.latency_ms is not None and record.cycles is not None]
    timed.sort(key=lambda record: (record.latency_ms.total if record.latency_ms else 0.0, record.index))
    return timed[(len(timed) - 1) // 2] if timed else None


def chart(summary: Summary, record: SampleRecord) -> Chart:
    """What is known of `record`, a sample that did not fail."""
    latency, cycles = record.latency_ms, record.cycles
    assert latency is not None
    assert cycles is not None
    timeline = record.timeline or Timeline()
    sources = summary["latency_ms"]["sources"]
    lanes = [
        Lane("device", _source(sources, "local"), tuple(_device(summary, record)), _pieces(timeline)),
        Lane("uplink", _source(sources, "link"), _packets(timeline.uplink, "packet")),
        Lane("server", _source(sources, "remote"), _server(timeline, latency)),
        Lane("downlink", _source(sources, "link"), _packets(timeline.downlink, "reply")),
        Lane("fuse", _source(sources, "fuse"), _fuse(latency)),
    ]
    if record.timeline is None:
        lanes = [lanes[0], lanes[-1]]
    return Chart(_title(summary, record), tuple(lanes), latency.total, latency.local, latency.overlap)


def _source(sources: Mapping[str, str], part: str) -> str:
    return str(sources.get(part, ""))


def _title(summary: Summary, record: SampleRecord) -> str:
    assert record.latency_ms is not None
    what = f"{summary['scheme']} on {summary['dataset']}, {summary['board']}, {summary['radio']}"
    return f"{what}: sample {record.index}, {record.outcome}, {fmt.figure(record.latency_ms.total)} ms"


def _device(summary: Summary, record: SampleRecord) -> Iterator[Bar]:
    """The stages, one behind the other; frames that leave early are made between the rows of the graph."""
    cycles, clock_hz = record.cycles, summary["clock_hz"]
    assert cycles is not None
    to_ms = 1000 / clock_hz
    at_ms = 0.0
    for name, count, colour in _stages(summary, cycles):
        if count:
            detail = f"{name}: {count:,.0f} cycles"
            yield Bar(at_ms, at_ms + count * to_ms, name, colour, detail)
            at_ms += count * to_ms
    if cycles.wait:
        wait_ms = cycles.wait * to_ms
        yield Bar(at_ms, at_ms + wait_ms, "asleep", IDLE, f"waits for the reply: {cycles.wait:,} cycles")


def _stages(summary: Summary, cycles: StageCycles) -> Iterator[tuple[str, float, str]]:
    """Name, cycles and colour. The layers share the graph's cycles as they do in the run's mean."""
    layers = summary["cycles"]["per_layer"]
    known = sum(layer["cycles"] or 0 for layer in layers)
    graph = cycles.graph + (cycles.frame if cycles.overlap else 0)
    colours = cycle((g.GREEN, g.BLUE))
    if known:
        for layer, colour in zip(layers, colours, strict=False):
            yield layer["name"], graph * (layer["cycles"] or 0) / known, colour
    else:
        yield "graph", graph, g.GREEN
    yield "quantise", cycles.quantise, g.PURPLE
    yield "encode", cycles.encode, g.YELLOW
    yield "frame", 0 if cycles.overlap else cycles.frame, g.SILVER


def _pieces(timeline: Timeline) -> tuple[tuple[float, str], ...]:
    return tuple(
        (piece.ready_ms, f"{piece.message_bytes:,} bytes of the payload are with the radio")
        for piece in timeline.pieces
    )


def _packets(packets: Sequence[Packet], name: str) -> tuple[Bar, ...]:
    return tuple(
        Bar(
            packet.begun_ms,
            packet.through_ms,
            f"{packet.message_bytes} B" if packet.arrived_ms is not None else "lost",
            g.ORANGE if packet.arrived_ms is not None else g.VERMILLION,
            f"{name} {number}: {packet.message_bytes} bytes"
            + (f", {packet.tries} tries" if packet.tries > 1 else "")
            + (", lost" if packet.arrived_ms is None else ""),
            packet.arrived_ms,
        )
        for number, packet in enumerate(packets, 1)
    )


def _server(timeline: Timeline, latency: LatencyParts) -> tuple[Bar, ...]:
    if timeline.server_ms is None or not latency.remote:
        return ()
    spent = f"{fmt.figure(latency.remote)} ms"
    end_ms = timeline.server_ms + latency.remote
    return (Bar(timeline.server_ms, end_ms, spent, g.SKY, f"server half: {spent}"),)


def _fuse(latency: LatencyParts) -> tuple[Bar, ...]:
    begin_ms = latency.total - latency.fuse
    detail = f"fusion and answer: {fmt.figure(latency.fuse)} ms"
    return (Bar(begin_ms, latency.total, "fuse", g.PURPLE, detail),) if latency.fuse else ()
