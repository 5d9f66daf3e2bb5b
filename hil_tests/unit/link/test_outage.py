"""A part of a run in which nothing gets through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import UsageError
from hil.link import RADIOS, Direction, parse_radio
from hil.link.outage import Outage

UP, DOWN = Direction.UPLINK, Direction.DOWNLINK


def test_an_outage_takes_its_share_of_any_run():
    radio = parse_radio("wifi-6m:outage=40%+20%")
    assert radio.for_run(10).dead == range(4, 6)
    assert radio.for_run(1000).dead == range(400, 600)
    assert parse_radio("wifi-6m:outage=7+3").for_run(1000).dead == range(7, 10)


@given(st.floats(0, 0.999), st.floats(0.001, 1), st.integers(1, 500))
def test_an_outage_of_shares_hits_at_least_one_sample_and_none_outside_the_run(begin, length, n):
    hit = Outage(begin, min(length, 1 - begin), True).samples(n)
    assert 0 <= hit.start < hit.stop <= n
    assert abs(len(hit) - n * min(length, 1 - begin)) <= 1


@given(st.integers(0, 600), st.integers(1, 600), st.integers(1, 500))
def test_an_outage_in_samples_is_cut_at_the_runs_end_and_refused_beyond_it(begin, length, n):
    outage = Outage(begin, length, False)
    if begin >= n:
        with pytest.raises(UsageError, match="begins at sample"):
            outage.samples(n)
    else:
        assert outage.samples(n) == range(begin, min(begin + length, n))


def test_nothing_gets_through_while_it_lasts_and_the_sender_tries_as_hard_as_ever():
    radio = parse_radio("wifi-6m:outage=2+3").for_run(10)
    for sample in range(10):
        up, down = (radio.transfer(5000, way, seed=0, sample=sample) for way in (UP, DOWN))
        assert up.lost == down.lost == (sample in (2, 3, 4))
    dead = radio.transfer(5000, UP, seed=0, sample=3)
    assert (dead.packets, dead.retransmissions, dead.arrivals) == (1, 7, ())
    assert dead.airtime_s == pytest.approx(8 * 8 * (1460 + 76) / 6e6)
    assert dead.seconds == pytest.approx(0.001 + dead.airtime_s + 8 * 0.001)


@given(st.integers(0, 30), st.integers(1, 9000))
def test_other_samples_fare_as_if_there_were_none(sample, size):
    text = "wifi-6m:loss=0.2,jitter=1ms"
    radio = parse_radio(f"{text},outage=10+10").for_run(100)
    if sample not in range(10, 20):
        transfer = radio.transfer(size, UP, seed=1, sample=sample)
        assert transfer == parse_radio(text).transfer(size, UP, seed=1, sample=sample)


def test_a_radio_without_an_outage_is_the_same_in_every_run():
    assert RADIOS["wifi-6m"].for_run(10) is RADIOS["wifi-6m"]


def test_shares_are_decimal_whatever_float64_adds_up() -> None:
    assert Outage(0.08, 0.57, shares=True).samples(10) == range(1, 7)
