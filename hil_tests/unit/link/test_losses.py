"""Losses by chance, and in bursts."""

from __future__ import annotations

from itertools import groupby, islice, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.link import Direction, Radio, parse_radio
from hil.link.losses import lost_tries, shortest_burst


def tries(loss: float, burst: float | None, count: int, seed: int = 0) -> list[bool]:
    return list(islice(lost_tries(np.random.default_rng(seed), loss, burst), count))


def mean_run(fates: list[bool]) -> float:
    runs = [len(list(run)) for lost, run in groupby(fates) if lost]
    return sum(runs) / len(runs)


@pytest.mark.parametrize(("loss", "burst"), [(0.1, 4.0), (0.3, 2.0), (0.2, 10.0), (0.3, None)])
def test_losses_are_as_many_and_come_as_many_in_a_row_as_asked(loss, burst):
    fates = tries(loss, burst, 60_000)
    assert sum(fates) / len(fates) == pytest.approx(loss, rel=0.08)
    assert mean_run(fates) == pytest.approx(burst or shortest_burst(loss), rel=0.05)


@given(st.floats(0.01, 0.9))
def test_the_shortest_burst_is_chance_alone(loss):
    fates = tries(loss, shortest_burst(loss), 1000)
    after_a_loss = [now for before, now in pairwise(fates) if before]
    expected = len(after_a_loss) * loss
    assert abs(sum(after_a_loss) - expected) < 6 * (expected * (1 - loss)) ** 0.5 + 1


@given(st.floats(0, 1), st.integers(0, 50), st.integers(1, 30))
def test_without_bursts_a_try_takes_the_one_draw_it_always_took(loss, seed, count):
    draws = np.random.default_rng(seed)
    assert tries(loss, None, count, seed) == [draws.random() < loss for _ in range(count)]


def test_one_in_two_messages_that_a_burst_meets_is_lost_and_chance_would_lose_none():
    lost = {}
    for name, radio in (("chance", "wifi-6m:loss=0.1"), ("bursts", "wifi-6m:loss=0.1,burst=10")):
        transfers = [
            parse_radio(radio).transfer(100, Direction.UPLINK, seed=0, sample=n) for n in range(2000)
        ]
        lost[name] = sum(transfer.lost for transfer in transfers) / 2000
    assert lost["chance"] == 0
    assert lost["bursts"] == pytest.approx(0.1 * 0.9**7, rel=0.2)


def bursty(loss: float, times: float) -> Radio:
    burst = shortest_burst(loss) * times
    return Radio(
        "bursty", 1e6, loss=loss, burst=burst, mtu_bytes=100, overhead_bytes=20, tries=4, timeout_s=0.002
    )


BURSTY = st.builds(bursty, st.floats(0.01, 0.6), st.floats(1.0, 30.0))


@given(BURSTY, st.integers(1, 1500), st.integers(0, 50))
def test_every_try_is_paid_for_whatever_becomes_of_it(radio, size, seed):
    transfer = radio.transfer(size, Direction.UPLINK, seed=seed, sample=0)
    sizes = radio.packet_sizes(size)[: transfer.packets]
    by_tries = [sizes[n] * 8 / radio.bandwidth_bps for n in range(transfer.packets)]
    repeats = [arrival.retransmissions for arrival in transfer.arrivals]
    each = [after - before for before, after in zip([0, *repeats], repeats, strict=False)]
    each += [transfer.retransmissions - sum(each)] * transfer.lost
    assert transfer.airtime_s == pytest.approx(
        sum((1 + again) * seconds for again, seconds in zip(each, by_tries, strict=True))
    )
    waits = transfer.retransmissions + transfer.lost
    assert transfer.seconds == pytest.approx(transfer.airtime_s + waits * radio.timeout_s)
    assert len(transfer.arrivals) == transfer.packets - transfer.lost
    whole = len(transfer.arrivals)
    assert transfer.arrived(transfer.seconds) == sum(sizes[:whole]) - 20 * whole


@given(BURSTY, st.integers(1, 1500), st.integers(0, 50))
def test_a_bursty_transfers_fate_depends_on_seed_sample_and_direction_alone(radio, size, seed):
    first = radio.transfer(size, Direction.UPLINK, seed=seed, sample=3)
    for sample in range(4):
        radio.transfer(100, Direction.DOWNLINK, seed=seed, sample=sample)
    assert radio.transfer(size, Direction.UPLINK, seed=seed, sample=3) == first
