"""Runs over a radio that loses much: in bursts, and everything for a while."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hil_tests.unit.session.fake_device import Model
from hil_tests.unit.session.fakes import FakeBoard, FakeServer, fixed_logits, run_fake
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hil.errors import UsageError
from hil.link import Direction, parse_radio
from hil.server.answer import Answer, Status
from hil.session.run import RunResult

DEADLINE_MS = 60.0
CURRENTS = "tx=100,rx=50,idle=60"
LINK = f"custom:bandwidth=1M,latency=1ms,mtu=50,tries=4,timeout=2ms,{CURRENTS}"
"""600 bytes of payload are 12 packets, on the air for 4.8 ms."""


def run(tmp_path: Path, radio: str, alone: bool = True, **options: Any) -> RunResult:
    board = FakeBoard(Model(payload_bytes=600, alone=alone))
    server = FakeServer(
        prefix=lambda part: Answer(Status.OK, fixed_logits(part), 2000, channels=len(part) // 25)
    )
    fixed = {"radio": radio, "deadline_ms": DEADLINE_MS, "server_ms": 2.0, "transcript": False}
    return run_fake(tmp_path, board, server, **{**fixed, **options})


def fates(result: RunResult) -> str:
    return "".join(record.outcome[0] for record in result.records)


@pytest.mark.parametrize("progressive", [False, True])
def test_an_outage_costs_its_samples_a_fallback_at_the_deadline_and_no_other_anything(tmp_path, progressive):
    settings = {"n": 10, "progressive": progressive}
    result = run(tmp_path, f"{LINK},outage=40%+20%", **settings)
    assert fates(result) == "aaaaffaaaa"
    for record in result.records[4:6]:
        assert record.reason == "deadline: the radio lost the payload"
        assert record.latency_ms.link == pytest.approx(DEADLINE_MS, rel=0.01)
        assert record.radio_retransmissions == 3
    calm = run(tmp_path, LINK, **settings)
    for place in (*range(4), *range(6, 10)):
        # A timeline is of sums of all that went before, which round differently.
        lossy, undisturbed = (replace(one.records[place], timeline=None) for one in (result, calm))
        assert lossy == undisturbed
    assert result.summary["valid"] is True


def test_energy_in_an_outage_is_every_try_on_the_air_and_the_rest_of_the_wait_idle(tmp_path):
    states = run(tmp_path, f"{LINK},outage=0+6", n=6).summary["energy_mj"]["by_state"]
    tries_s = 4 * 8 * 50 / 1e6
    assert states["radio_tx"] == pytest.approx(3.3 * 100 * tries_s)
    assert states["radio_idle"] == pytest.approx(3.3 * 60 * (DEADLINE_MS / 1000 - tries_s), rel=1e-3)
    assert states["radio_rx"] == 0


def test_a_sender_cut_short_by_the_deadline_paid_for_no_try_after_it(tmp_path):
    slow = f"custom:bandwidth=100k,mtu=50,loss=0.5,tries=50,timeout=4ms,{CURRENTS}"
    result = run(tmp_path, slow, n=4)
    assert fates(result) == "ffff"
    whole = [
        parse_radio(slow).transfer(600, Direction.UPLINK, seed=0, sample=n).retransmissions for n in range(4)
    ]
    kept = [record.radio_retransmissions for record in result.records]
    assert all(some < every for some, every in zip(kept, whole, strict=True))
    assert result.summary["energy_mj"]["by_state"]["radio_idle"] > 0.2 * 3.3 * 60 * DEADLINE_MS / 1000


def test_a_scheme_without_a_local_answer_fails_in_an_outage_and_its_energy_is_spent_all_the_same(tmp_path):
    radio = f"{LINK},outage=2+2"
    result, other = run(tmp_path, radio, alone=False), run(tmp_path, radio)
    assert fates(result) == "aaffaa"
    assert fates(other) == "aaffaa"
    assert result.summary["outcomes"]["failed"] == 2
    for record, fallback in zip(result.records, other.records, strict=True):
        assert record.energy_mj == fallback.energy_mj
        assert record.radio_retransmissions == fallback.radio_retransmissions
    assert result.summary["energy_mj"] == other.summary["energy_mj"]
    assert result.records[2].latency_ms is None


BURSTS = st.tuples(st.sampled_from([0.1, 0.3, 0.6]), st.sampled_from([2.5, 5.0, 40.0]))
OUTAGES = st.sampled_from(["", ",outage=20%+40%", ",outage=3+1"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(BURSTS, OUTAGES, st.booleans(), st.sampled_from([8.0, 25.0, 60.0]), st.integers(0, 9))
def test_every_sample_ends_in_time_whatever_is_lost(tmp_path, bursts, outage, progressive, deadline_ms, seed):
    radio = f"{LINK},loss={bursts[0]},burst={bursts[1]}{outage}"
    result = run(tmp_path, radio, n=8, seed=seed, progressive=progressive, deadline_ms=deadline_ms)
    assert set(fates(result)) <= {"a", "f"}
    assert result.summary["outcomes"]["failed"] == 0
    assert result.summary["host_agreement"] == 1.0
    assert {issue["code"] for issue in result.summary["issues"]} <= {"wire-bottleneck"}
    for record in result.records:
        assert record.latency_ms.link + record.latency_ms.remote <= deadline_ms * 1.01
        assert record.energy_detail.by_state["radio_tx"] <= 3.3 * 100 * deadline_ms / 1000


def test_an_outage_after_the_runs_end_is_refused_before_anything_starts(tmp_path):
    with pytest.raises(UsageError, match="begins at sample 6 of a run of 6"):
        run(tmp_path, f"{LINK},outage=6+2")
    assert not (tmp_path / "runs").exists()
