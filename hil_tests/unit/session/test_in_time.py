"""Progressive payloads of which not all arrives before the deadline."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hil_tests.unit.session.fake_device import Model
from hil_tests.unit.session.fakes import FakeBoard, FakeServer, fixed_logits, run_fake
from hypothesis import given
from hypothesis import strategies as st

from hil.link.radio import Direction, Radio
from hil.server.answer import Answer, Status
from hil.session.in_time import answer_in_time
from hil.session.relay import Relayed
from hil.session.run import RunResult

PAYLOAD_BYTES, CHANNEL_BYTES = 600, 25
NARROW = "custom:bandwidth=100k,latency=3ms,mtu=50,tx=100,rx=50,idle=60"
"""The payload is on the air for 48 ms."""


def from_channels(payload: bytes, server_us: int = 2000) -> Answer:
    """What the fake server half answers to a payload's first bytes."""
    channels = len(payload) // CHANNEL_BYTES
    if channels == 0:
        return Answer(Status.EMPTY, detail="no channel is complete")
    return Answer(Status.OK, fixed_logits(payload), server_us, channels=channels)


def run(tmp_path: Path, server: FakeServer | None = None, **settings: Any) -> RunResult:
    board = FakeBoard(Model(payload_bytes=PAYLOAD_BYTES))
    server = server or FakeServer(prefix=from_channels)
    fixed = {"radio": NARROW, "deadline_ms": 30.0, "server_ms": 2.0, "progressive": True}
    return run_fake(tmp_path, board, server, **{**fixed, **settings})


def outcomes(result: RunResult) -> dict[str, int]:
    return {key: value for key, value in result.summary["outcomes"].items() if value}


def test_a_deadline_shorter_than_the_payload_gets_answers_from_what_arrived(tmp_path):
    server = FakeServer(prefix=from_channels)
    result = run(tmp_path, server)
    assert outcomes(result) == {"answered": 6}
    # 30 ms less 0.5 of slack, 4.12 of the reply and 2 of the server: 20.38 ms on the air, 4 ms a packet.
    assert server.asked == [(250, True)] * 6
    right = [record.correct for record in result.records]
    assert result.summary["prefixes"] == {"samples": 6, "channels": 10.0, "accuracy": sum(right) / 6}
    assert [record.prefix_channels for record in result.records] == [10] * 6
    assert [record.reason for record in result.records] == [""] * 6
    assert result.summary["host_agreement"] == 1.0
    assert result.summary["issues"] == []


def test_such_an_answer_comes_just_before_the_deadline_and_ends_the_sending(tmp_path):
    result = run(tmp_path)
    latency = result.records[0].latency_ms
    assert latency.remote == pytest.approx(2.0)
    assert latency.link + latency.remote == pytest.approx(30 - 0.5, abs=0.02)
    spent = result.summary["energy_mj"]["by_state"]
    assert spent["radio_tx"] == pytest.approx(3.3 * 100e-3 * (29.5 - 1.12), rel=0.005)
    assert spent["radio_rx"] == pytest.approx(3.3 * 50e-3 * 1.12, rel=0.005)


def test_without_a_progressive_payload_the_same_deadline_is_a_fallback(tmp_path):
    server = FakeServer(prefix=from_channels)
    result = run(tmp_path, server, progressive=False)
    assert outcomes(result) == {"fallback": 6}
    assert server.asked == [(PAYLOAD_BYTES, False)] * 6
    assert result.summary["prefixes"] == {"samples": 0, "channels": None, "accuracy": None}
    assert [record.prefix_channels for record in result.records] == [0] * 6


@pytest.mark.parametrize("radio", [NARROW, "wifi-6m:loss=0.3", "none"])
def test_payloads_in_time_are_answered_as_if_they_were_not_progressive(tmp_path, radio):
    server = FakeServer(prefix=from_channels)
    settings = {"radio": radio, "deadline_ms": 1000.0}
    result, plain = run(tmp_path, server, **settings), run(tmp_path, progressive=False, **settings)
    assert result.records == plain.records
    assert server.asked == [(PAYLOAD_BYTES, False)] * 6


@pytest.mark.parametrize("deadline_ms", [1.0, 5.0, 15.0])
def test_without_a_complete_channel_the_device_answers_alone_as_ever(tmp_path, deadline_ms):
    server = FakeServer(prefix=lambda payload: Answer(Status.EMPTY))
    result = run(tmp_path, server, deadline_ms=deadline_ms)
    plain = run(tmp_path, progressive=False, deadline_ms=deadline_ms)
    assert outcomes(result) == {"fallback": 6}
    assert result.records == plain.records
    assert result.summary["issues"] == plain.summary["issues"]
    assert any(prefix for _, prefix in server.asked) == (deadline_ms == 15)


def test_a_payload_that_the_radio_gives_up_is_answered_from_its_first_packets(tmp_path):
    lossy = f"{NARROW},loss=0.4,tries=2,timeout=1ms"
    settings = {"radio": lossy, "deadline_ms": 150.0, "n": 20, "seed": 1}
    result, plain = run(tmp_path, **settings), run(tmp_path, progressive=False, **settings)
    lost = [record.index for record in plain.records if record.reason.endswith("lost the payload")]
    saved = [record.index for record in result.records if record.prefix_channels]
    assert len(saved) > 5
    assert set(saved) < set(lost)
    for record, without in zip(result.records, plain.records, strict=True):
        if record.index not in saved and record.index in lost:
            assert record.outcome == "fallback"
        if record.index not in lost:
            assert record == without


def test_a_reply_that_the_radio_loses_is_told_from_a_payload_that_it_loses(tmp_path):
    result = run(tmp_path, radio=f"{NARROW},loss=0.3,tries=1", n=20)
    reasons = {record.reason for record in result.records if record.outcome == "fallback"}
    assert reasons == {"deadline: the radio lost the payload", "deadline: the radio lost the reply"}
    for record in result.records:
        if record.reason.endswith("reply"):
            assert record.prefix_channels == 0, "the answer rests on no channel of it"


def test_a_server_half_whose_time_varies_is_never_too_late(tmp_path):
    asked = 0

    def varying(payload: bytes) -> Answer:
        nonlocal asked
        asked += 1
        return from_channels(payload, server_us=[500, 9000, 3000, 14_000][asked % 4])

    result = run(tmp_path, FakeServer(prefix=varying), server_ms=None, n=12)
    assert outcomes(result) == {"answered": 12}
    assert len({record.prefix_channels for record in result.records}) > 1
    for record in result.records:
        latency = record.latency_ms
        assert latency.link + latency.remote == pytest.approx(29.5, abs=0.02)
        sent_s = (29.5 - 4.12 - latency.remote - 3) / 1000
        assert record.prefix_channels * CHANNEL_BYTES <= sent_s * 100_000 / 8 + 0.5


def test_a_server_half_that_knows_no_prefixes_costs_fallbacks_and_a_remark(tmp_path):
    result = run(tmp_path, FakeServer())
    assert outcomes(result) == {"fallback": 6}
    assert [issue["code"] for issue in result.summary["issues"]] == ["server-corrupt"]
    assert "not progressive" in result.summary["issues"][0]["message"]


def test_a_server_that_dies_is_reported_once_with_progressive_payloads_too(tmp_path):
    result = run(tmp_path, FakeServer(prefix=from_channels, dies_at=2))
    assert outcomes(result) == {"answered": 2, "fallback": 4}
    assert [issue["code"] for issue in result.summary["issues"]] == ["server-lost"]


RADIO = st.builds(
    Radio,
    st.just("any"),
    st.floats(1e4, 1e7),
    latency_s=st.floats(0, 0.01),
    jitter_s=st.floats(0, 0.01),
    loss=st.floats(0, 0.6),
    mtu_bytes=st.integers(1, 300),
    overhead_bytes=st.integers(0, 40),
    tries=st.integers(1, 5),
)


@given(
    RADIO,
    st.integers(0, 1000),
    st.integers(0, 2**32 - 1),
    st.floats(-0.01, 0.5),
    st.floats(0, 0.05),
    st.lists(st.floats(0, 0.05), min_size=1, max_size=4),
)
def test_an_answer_rests_on_bytes_that_were_there_and_leaves_in_time(
    radio: Radio, size: int, seed: int, latest_s: float, expected_s: float, times: list[float]
) -> None:
    uplink = radio.transfer(size, Direction.UPLINK, seed=seed, sample=0)
    asked: list[int] = []

    def ask(part: bytes, prefix: bool) -> Relayed:
        assert prefix == (len(part) < size)
        asked.append(len(part))
        return Relayed((1,), times[len(asked) % len(times)], channels=1)

    planned = answer_in_time(bytes(size), uplink, latest_s, expected_s, ask)
    assert asked == sorted(set(asked), reverse=True), "it is asked again only with fewer"
    if planned is None:
        return
    assert uplink.arrived(planned.begun_s) >= asked[-1] > 0
    assert planned.begun_s + planned.relayed.seconds <= latest_s + 1e-9
    assert planned.whole == (asked[-1] == size)


@given(RADIO, st.integers(1, 1000), st.integers(0, 2**32 - 1), st.floats(-0.01, 0.5), st.floats(0, 0.05))
def test_a_server_half_of_constant_time_is_asked_once_with_all_that_it_can_use(
    radio: Radio, size: int, seed: int, latest_s: float, seconds: float
) -> None:
    uplink = radio.transfer(size, Direction.UPLINK, seed=seed, sample=0)
    asked: list[int] = []

    def ask(part: bytes, prefix: bool) -> Relayed:
        asked.append(len(part))
        return Relayed((1,), seconds)

    planned = answer_in_time(bytes(size), uplink, latest_s, seconds, ask)
    usable = uplink.arrived(latest_s - seconds)
    assert asked == ([usable] if usable else [])
    assert (planned is None) == (usable == 0)


def test_first_bytes_that_say_nothing_are_no_answer() -> None:
    uplink = Radio("slow", 1e5, mtu_bytes=10).transfer(100, Direction.UPLINK, seed=0, sample=0)
    assert answer_in_time(bytes(100), uplink, uplink.seconds / 2, 0.0, lambda *_: Relayed(None, 0.0)) is None


def test_a_payload_given_up_is_answered_as_late_as_may_be() -> None:
    uplink = Radio("slow", 1e5, mtu_bytes=10).transfer(100, Direction.UPLINK, seed=0, sample=0)
    lost = dataclasses.replace(uplink, lost=True, arrivals=uplink.arrivals[:3])
    planned = answer_in_time(bytes(100), lost, 10.0, 0.0, lambda part, _: Relayed((len(part),), 1.0))
    assert planned is not None
    assert (planned.relayed.logits, planned.begun_s, planned.whole) == ((30,), 9.0, False)
