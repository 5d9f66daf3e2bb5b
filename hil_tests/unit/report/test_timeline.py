"""The picture of one inference: every bar where the record says, legible on any ground."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.report.timeline import Chart, chart, median_sample
from hil.report.timeline_svg import LEFT, RIGHT, WIDTH, timeline_svg
from hil.session.events import LatencyParts, SampleRecord
from hil.session.timeline import Packet, Piece, Timeline
from hil.wire.to_host import StageCycles
from hil_tests.unit.report.feed import sample

CLOCK_HZ = 1_000_000
SUMMARY: dict[str, Any] = {
    "scheme": "agilenn", "dataset": "digits", "board": "twin", "radio": "wifi-6m", "clock_hz": CLOCK_HZ,
    "latency_ms": {"sources": {
        "local": "twin_cycles", "link": "modelled", "remote": "measured_host", "fuse": "twin_cycles",
    }},
    "cycles": {"per_layer": [{"name": "front", "cycles": 600.0}, {"name": "mean <1>", "cycles": 200.0}]},
}  # fmt: skip
CYCLES = StageCycles(
    graph=800, quantise=0, encode=50, frame=150, wait=8500, fuse=500, total=10_000, overlap=600
)
TIMELINE = Timeline(
    (Piece(0.4, 320), Piece(1.1, 500)),
    (Packet(0.4, 0.9, 1.9, 320, 1), Packet(1.1, 1.5, 2.5, 180, 3)),
    2.5,
    (Packet(8.0, 8.5, 9.5, 26, 1),),
)
RECORD = sample(
    3, cycles=CYCLES, timeline=TIMELINE, latency_ms=LatencyParts(1.0, 3.0, 5.5, 0.5, 10.0, overlap=0.6)
)


def lane(drawn: Chart, name: str) -> Any:
    return next(lane for lane in drawn.lanes if lane.name == name)


def test_the_device_s_stages_follow_one_another_and_end_where_it_sleeps():
    device = lane(chart(SUMMARY, RECORD), "device")
    assert [bar.label for bar in device.bars] == ["front", "mean <1>", "encode", "asleep"]
    assert [bar.begin_ms for bar in device.bars] == pytest.approx([0.0, 0.7125, 0.95, 1.0])
    assert device.bars[-1].end_ms == pytest.approx(9.5)
    assert [at_ms for at_ms, _ in device.marks] == [0.4, 1.1]


def test_frames_are_a_stage_of_their_own_where_nothing_left_early():
    record = replace(RECORD, cycles=replace(CYCLES, overlap=0))
    device = lane(chart(SUMMARY, record), "device")
    assert [bar.label for bar in device.bars] == ["front", "mean <1>", "encode", "frame", "asleep"]


def test_every_lane_says_what_its_times_rest_on():
    drawn = chart(SUMMARY, RECORD)
    assert [(lane.name, lane.source) for lane in drawn.lanes] == [
        ("device", "twin_cycles"),
        ("uplink", "modelled"),
        ("server", "measured_host"),
        ("downlink", "modelled"),
        ("fuse", "twin_cycles"),
    ]


def test_packets_are_drawn_while_they_are_sent_and_a_line_until_they_arrive():
    first, second = lane(chart(SUMMARY, RECORD), "uplink").bars
    assert (first.begin_ms, first.end_ms, first.tail_ms) == (0.4, 0.9, 1.9)
    assert (first.label, second.detail) == ("320 B", "packet 2: 180 bytes, 3 tries")


def test_a_lost_packet_is_told_from_the_others():
    lost = replace(TIMELINE, uplink=(TIMELINE.uplink[0], Packet(1.1, 2.0, None, 0, 8)), server_ms=None)
    drawn = chart(SUMMARY, replace(RECORD, timeline=lost))
    bars = lane(drawn, "uplink").bars
    assert bars[1].label == "lost"
    assert bars[1].colour != bars[0].colour
    assert lane(drawn, "server").bars == ()


def test_an_answer_of_the_device_alone_has_only_its_own_lanes():
    alone = replace(RECORD, timeline=None, cycles=replace(CYCLES, wait=0, overlap=0))
    assert [lane.name for lane in chart(SUMMARY, alone).lanes] == ["device", "fuse"]


def test_without_layers_the_graph_is_one_bar():
    bare = {**SUMMARY, "cycles": {"per_layer": [{"name": "front", "cycles": None}]}}
    assert lane(chart(bare, RECORD), "device").bars[0].label == "graph"


@given(st.lists(st.integers(1, 50), max_size=9))
def test_the_median_sample_has_as_many_slower_as_faster(totals):
    records = [sample(n, cycles=CYCLES, latency_ms=LatencyParts(0, 0, 0, 0, t)) for n, t in enumerate(totals)]
    found = median_sample([*records, sample(99, latency_ms=None)])
    if not totals:
        assert found is None
        return
    assert found is not None
    assert found.latency_ms is not None
    assert found.latency_ms.total == sorted(totals)[(len(totals) - 1) // 2]


def drawn(record: SampleRecord) -> ET.Element:
    return ET.fromstring(timeline_svg(chart(SUMMARY, record)))


def test_the_svg_holds_every_packet_and_needs_nothing_else():
    text = timeline_svg(chart(SUMMARY, RECORD))
    assert "packet 2: 180 bytes, 3 tries" in text
    assert "mean &lt;1&gt;" in text
    assert "prefers-color-scheme:dark" in text
    for outside in ("href", "url(", "<script", "@import"):
        assert outside not in text


def test_nothing_is_drawn_outside_the_picture():
    root = drawn(RECORD)
    name = "{http://www.w3.org/2000/svg}rect"
    boxes = [(float(r.get("x", 0)), float(r.get("width", 0))) for r in root.iter(name)]
    assert len(boxes) > 10
    assert all(x >= 0 and x + width <= WIDTH for x, width in boxes)
    assert max(x + width for x, width in boxes[1:]) <= WIDTH - RIGHT + 1
    assert min(x for x, _ in boxes[1:]) >= LEFT


@pytest.mark.parametrize(("local", "panels"), [(1.0, 2), (9.0, 1)])
def test_computing_that_would_be_a_sliver_is_shown_once_more(local, panels):
    latency = LatencyParts(local, 3.0, 5.5, 0.5, 10.0, overlap=0.6)
    text = timeline_svg(chart(SUMMARY, replace(RECORD, latency_ms=latency)))
    assert text.count("milliseconds since") == panels


def test_no_bar_of_a_lane_lies_over_another():
    for each in chart(SUMMARY, RECORD).lanes:
        assert all(one.end_ms <= other.begin_ms + 1e-9 for one, other in pairwise(each.bars))
