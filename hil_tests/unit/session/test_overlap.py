"""Payloads whose first bytes leave while the rest is computed, seen from the host."""

from __future__ import annotations

from typing import Any

import pytest
from hil_tests.unit.session.fake_device import Mishaps, Model
from hil_tests.unit.session.fakes import FakeBoard, FakeServer, run_fake

from hil.bundle import PayloadFormat
from hil.link import RADIOS, parse_radio
from hil.session.overlap import EARLY_BYTES, early_bytes
from hil.session.run import RunResult

PAYLOAD_BYTES, COMPUTE_S = 1500, 0.020
RADIO = "custom:bandwidth=500k,latency=3ms,mtu=100,tx=100,rx=50,idle=60"
"""1.6 ms a packet. The fake wire takes as long for about 150 bytes, so a chunk is there before the next."""


def run(tmp_path: Any, mishaps: Mishaps | None = None, **settings: Any) -> RunResult:
    model = Model(payload_bytes=PAYLOAD_BYTES, rows=10, compute_s=COMPUTE_S)
    board = FakeBoard(model, mishaps or Mishaps(), noise=settings.pop("noise", lambda way, data: data))
    server = settings.pop("server", None) or FakeServer()
    return run_fake(tmp_path, board, server, **{"radio": RADIO, "server_ms": 2.0, **settings})


def form(progressive: bool = False) -> PayloadFormat:
    return PayloadFormat(1, 3, 4, 8, (0.0, 1.0), "none", progressive=progressive)


@pytest.mark.parametrize(
    ("radio", "payload", "expected"),
    [
        ("wifi-6m", form(), EARLY_BYTES),
        ("ble-270k", form(), 244),
        ("none", form(), 0),
        ("wifi-6m", form(progressive=True), 0),
        ("wifi-6m", None, 0),
    ],
)
def test_what_leaves_early_is_whole_packets_or_nothing(radio, payload, expected):
    assert early_bytes(parse_radio(radio), payload) == expected


def test_wifis_headers_are_less_than_a_fifth_of_an_early_packet():
    wifi = RADIOS["wifi-6m"]
    assert wifi.overhead_bytes < 0.2 * (EARLY_BYTES + wifi.overhead_bytes)


def test_overlap_changes_no_answer_and_saves_time(tmp_path):
    with_it, without = run(tmp_path), run(tmp_path, overlap=False)
    for one, other in zip(with_it.records, without.records, strict=True):
        assert (one.prediction, one.outcome, one.payload_bytes) == (
            other.prediction, other.outcome, other.payload_bytes,
        )  # fmt: skip
        assert one.agrees
        assert one.latency_ms.total < other.latency_ms.total - 5
    for result in (with_it, without):
        assert result.summary["issues"] == []
        assert result.summary["host_agreement"] == 1.0
    assert with_it.summary["energy_mj"]["mean"] < without.summary["energy_mj"]["mean"]


def test_what_is_saved_is_the_part_of_the_link_that_is_hidden(tmp_path):
    with_it, without = (run(tmp_path, overlap=on).records[0].latency_ms for on in (True, False))
    assert without.overlap == 0
    assert with_it.overlap == pytest.approx(1000 * COMPUTE_S * 0.9, rel=0.01), "all rows but the first"
    assert with_it.local == pytest.approx(without.local)
    assert with_it.link == pytest.approx(without.link - with_it.overlap, abs=2.5), "less what it waited for"
    assert with_it.total == pytest.approx(with_it.local + with_it.link + with_it.remote + with_it.fuse)


def test_the_server_is_asked_once_for_the_whole_payload(tmp_path):
    server = FakeServer()
    run(tmp_path, server=server)
    assert server.asked == [(PAYLOAD_BYTES, False)] * 6


def test_the_record_says_when_each_part_left_and_arrived(tmp_path):
    record = run(tmp_path).records[0]
    timeline, latency = record.timeline, record.latency_ms
    assert timeline is not None
    assert [piece.message_bytes for piece in timeline.pieces][-1] == PAYLOAD_BYTES
    assert len(timeline.pieces) > 2
    assert sum(packet.message_bytes for packet in timeline.uplink) == PAYLOAD_BYTES
    assert all(packet.message_bytes == 100 for packet in timeline.uplink), "whole packets only"
    assert timeline.uplink[0].begun_ms == pytest.approx(latency.local - latency.overlap)
    arrived = timeline.uplink[-1].arrived_ms
    assert timeline.server_ms == pytest.approx(arrived)
    assert timeline.downlink[-1].arrived_ms == pytest.approx(latency.total - latency.fuse, abs=0.3)


def test_a_lost_chunk_is_repeated(tmp_path):
    damaged: list[int] = []

    def noise(way: str, data: bytes) -> bytes:
        if way == "device" and len(data) > 150 and len(damaged) < 1:
            damaged.append(len(data))
            return data[:50] + bytes([data[50] ^ 0x55 or 1]) + data[51:]
        return data

    result = run(tmp_path, noise=noise, n=2)
    assert damaged
    assert result.summary["host_agreement"] == 1.0
    assert result.summary["outcomes"]["answered"] == 2
    assert result.records[0].wire_retransmissions > 0


def test_a_device_that_fails_after_its_first_chunk_leaves_no_half_payload_behind(tmp_path):
    server = FakeServer()
    result = run(tmp_path, Mishaps(failures={1: 1}), server=server, n=3)
    assert [record.outcome for record in result.records] == ["answered", "failed", "answered"]
    assert server.asked == [(PAYLOAD_BYTES, False)] * 2
    assert result.summary["host_agreement"] == 1.0


def test_a_deadline_that_passes_before_the_payload_is_whole_is_a_fallback(tmp_path):
    result = run(tmp_path, deadline_ms=5.0, server=(server := FakeServer()), n=2)
    assert [record.outcome for record in result.records] == ["fallback"] * 2
    assert result.summary["issues"] == []
    assert server.asked == [], "nobody answers half a payload"
    for record in result.records:
        assert record.energy_mj is not None
        assert record.energy_detail.by_state["radio_tx"] > 0, "what left has cost something"
        assert record.timeline.server_ms is None
        assert 0 < sum(packet.message_bytes for packet in record.timeline.uplink) < PAYLOAD_BYTES


def test_without_a_radio_or_on_request_nothing_leaves_early(tmp_path):
    for settings in ({"radio": "none"}, {"overlap": False}):
        result = run(tmp_path, **settings)
        assert {record.latency_ms.overlap for record in result.records} == {0.0}
        assert result.summary["latency_ms"]["overlap"] == 0


def test_the_run_folder_keeps_the_picture_that_its_caller_draws(tmp_path):
    result = run(tmp_path, timeline=lambda summary, records: f"{summary['samples']} of {len(records)}")
    assert (result.folder / "timeline.svg").read_text() == "6 of 6"
    assert "timeline.svg" in (result.folder / "MANIFEST.sha256").read_text()


def test_a_run_without_anything_to_see_has_no_picture(tmp_path):
    result = run(tmp_path, timeline=lambda summary, records: None)
    assert not (result.folder / "timeline.svg").exists()
