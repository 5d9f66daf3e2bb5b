"""What a radio does to a message."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import UsageError
from hil.link import RADIOS, Direction, Radio, parse_radio
from hil.link.outage import Outage
from hil.link.radio import Ready

UP, DOWN = Direction.UPLINK, Direction.DOWNLINK


def test_a_message_takes_latency_and_its_bits_at_the_bandwidth():
    radio = Radio("test", 1e6, latency_s=0.002, mtu_bytes=1000, overhead_bytes=25)
    transfer = radio.transfer(2500, UP, seed=0, sample=0)
    assert transfer.packets == 3
    assert transfer.airtime_s == pytest.approx(8 * (2500 + 3 * 25) / 1e6)
    assert transfer.seconds == pytest.approx(0.002 + transfer.airtime_s)
    assert (transfer.retransmissions, transfer.lost) == (0, False)


def test_the_papers_payload_takes_about_what_its_bandwidths_say():
    wifi = RADIOS["wifi-6m"].transfer(7296, UP, seed=0, sample=0)
    ble = RADIOS["ble-270k"].transfer(7296, UP, seed=0, sample=0)
    assert wifi.airtime_s == pytest.approx(0.0097, rel=0.1)
    assert ble.airtime_s == pytest.approx(0.216, rel=0.1)


def test_no_radio_takes_no_time():
    assert RADIOS["none"].transfer(10**6, UP, seed=0, sample=0).seconds == 0


def test_a_transfers_fate_depends_on_seed_sample_and_direction_alone():
    radio = parse_radio("wifi-6m:loss=0.4,jitter=1ms")
    first = radio.transfer(5000, UP, seed=1, sample=2)
    for sample in range(5):
        radio.transfer(100, DOWN, seed=1, sample=sample)
    assert radio.transfer(5000, UP, seed=1, sample=2) == first
    others = [(DOWN, 1, 2), (UP, 2, 2), (UP, 1, 3)]
    assert all(radio.transfer(5000, way, seed=seed, sample=n) != first for way, seed, n in others)


def test_lost_packets_cost_airtime_and_timeouts():
    radio = Radio("lossy", 1e6, loss=0.5, mtu_bytes=100, tries=50, timeout_s=0.01)
    transfer = radio.transfer(1000, UP, seed=0, sample=0)
    assert not transfer.lost
    assert transfer.retransmissions > 0
    assert transfer.airtime_s == pytest.approx((10 + transfer.retransmissions) * 800e-6)
    assert transfer.seconds == pytest.approx(transfer.airtime_s + transfer.retransmissions * 0.01)


def test_a_packet_lost_in_all_its_tries_loses_the_message():
    radio = Radio("dead", 1e6, loss=1.0, mtu_bytes=100, tries=3, timeout_s=0.01)
    transfer = radio.transfer(1000, UP, seed=0, sample=0)
    assert transfer.lost
    assert transfer.retransmissions == 2
    assert transfer.airtime_s == pytest.approx(3 * 800e-6)


def test_packets_are_lost_as_often_as_asked():
    radio = Radio("lossy", 1e6, loss=0.2, mtu_bytes=100, tries=99)
    repeats = sum(radio.transfer(1000, UP, seed=0, sample=n).retransmissions for n in range(500))
    assert repeats / 5000 == pytest.approx(0.2 / 0.8, rel=0.1)


def test_jitter_spreads_latency_around_its_mean_but_never_below_zero():
    radio = Radio("jittery", 1e9, latency_s=0.002, jitter_s=0.003)
    seconds = [radio.transfer(1, UP, seed=0, sample=n).seconds for n in range(300)]
    assert min(seconds) >= 0
    assert min(seconds) < 0.0005
    assert 0.0045 < max(seconds) < 0.0051


def test_a_custom_radio_is_what_its_text_says():
    radio = parse_radio("custom:bandwidth=1M,latency=2ms,jitter=1ms,loss=5%,mtu=200,tries=4,timeout=500us")
    assert (radio.bandwidth_bps, radio.latency_s, radio.jitter_s) == (1e6, 0.002, 0.001)
    assert (radio.loss, radio.mtu_bytes, radio.tries) == (0.05, 200, 4)
    assert radio.timeout_s == pytest.approx(0.0005)
    assert radio.currents is None


def test_currents_can_be_given():
    radio = parse_radio("custom:bandwidth=250kbps,tx=20,rx=18.5mA,idle=2uA,volts=3")
    assert radio.currents is not None
    assert (radio.currents.tx_ma, radio.currents.idle_ma) == (20, pytest.approx(0.002))
    assert radio.currents.supply_volts == 3


def test_losses_can_come_in_bursts_and_a_run_can_have_an_outage():
    radio = parse_radio("wifi-6m:loss=10%, burst=4, outage=40%+12.5%")
    assert (radio.loss, radio.burst) == (0.1, 4.0)
    assert radio.outage == Outage(0.4, 0.125, shares=True)
    assert parse_radio("ble-270k:outage=3+4").outage == Outage(3, 4, shares=False)
    assert parse_radio("wifi-6m:loss=0.3,burst=1.4285714286").burst, "chance alone is the least"


def test_a_preset_can_be_changed_in_one_place():
    radio = parse_radio("wifi-6m:loss=0.1")
    assert radio.loss == 0.1
    assert radio.bandwidth_bps == RADIOS["wifi-6m"].bandwidth_bps
    assert radio.name == "wifi-6m:loss=0.1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("wifi", "unknown radio"),
        ("custom", "needs a bandwidth"),
        ("custom:latency=1ms", "needs a bandwidth"),
        ("custom:bandwith=1M", "unknown radio setting"),
        ("custom:bandwidth", "has no value"),
        ("custom:bandwidth=fast", "no quantity"),
        ("custom:bandwidth=0", "out of range"),
        ("custom:bandwidth=1M,loss=2", "out of range"),
        ("custom:bandwidth=1M,latency=2", "no quantity"),
        ("custom:bandwidth=1M,latency=-2ms", "no quantity"),
        ("custom:bandwidth=1M,mtu=1.5", "out of range"),
        ("custom:bandwidth=1M,bandwidth=2M", "given twice"),
        ("custom:bandwidth=1M,tx=20", "incomplete"),
        ("none:loss=1", "takes no settings"),
        ("none:outage=40%+20%", "takes no settings"),
        ("wifi-6m:burst=4", "bursts of losses, and a loss of 0"),
        ("wifi-6m:loss=1,burst=4", "bursts of losses, and a loss of 1"),
        ("wifi-6m:loss=0.5,burst=1.5", "burst=1.5 is out of range"),
        ("wifi-6m:loss=0.1,burst=0.5", "out of range"),
        ("wifi-6m:loss=0.1,burst=4ms", "no quantity"),
        ("wifi-6m:outage", "has no value"),
        ("wifi-6m:outage=40%", "no part of a run"),
        ("wifi-6m:outage=40%+20", "no part of a run"),
        ("wifi-6m:outage=2s@10s", "no part of a run"),
        ("wifi-6m:outage=-1+2", "no part of a run"),
        ("wifi-6m:outage=1.5+2", "no part of a run"),
        ("wifi-6m:outage=40+0", "out of range"),
        ("wifi-6m:outage=0%+0%", "out of range"),
        ("wifi-6m:outage=90%+20%", "out of range"),
        ("wifi-6m:outage=100%+1%", "out of range"),
        ("wifi-6m:outage=1+2,outage=3+4", "given twice"),
    ],
)
def test_a_wrong_text_says_what_is_wrong_and_what_is_valid(text, said):
    with pytest.raises(UsageError, match=said) as caught:
        parse_radio(text)
    assert caught.value.hint


RADIO = st.builds(
    Radio,
    st.just("any"),
    st.sampled_from([1e4, 270e3, 6e6, math.inf]),
    latency_s=st.sampled_from([0.0, 0.004]),
    jitter_s=st.sampled_from([0.0, 0.003]),
    loss=st.sampled_from([0.0, 0.3, 0.8]),
    burst=st.sampled_from([None, 5.0]),
    dead=st.sampled_from([range(0), range(1)]),
    mtu_bytes=st.integers(1, 300),
    overhead_bytes=st.integers(0, 80),
    tries=st.integers(1, 4),
)
SIZE = st.integers(1, 1500)
SEED = st.integers(0, 50)


@given(RADIO, SIZE, SEED, st.lists(st.floats(0, 3), min_size=2, max_size=8))
def test_bytes_only_ever_become_more_and_are_all_there_when_the_message_is(radio, size, seed, times):
    transfer = radio.transfer(size, UP, seed=seed, sample=0)
    counts = [transfer.arrived(after_s) for after_s in sorted(times)]
    assert counts == sorted(counts)
    assert counts == [
        radio.transfer(size, UP, seed=seed, sample=0).arrived(after_s) for after_s in sorted(times)
    ]
    end = transfer.arrived(transfer.seconds)
    assert (end < size) if transfer.lost else (end == size)
    assert transfer.arrived(math.nextafter(transfer.seconds, -1)) < size


@given(RADIO, SIZE, SEED)
def test_bytes_come_in_whole_packets(radio, size, seed):
    transfer = radio.transfer(size, UP, seed=seed, sample=0)
    there = [arrival.message_bytes for arrival in transfer.arrivals]
    if not radio.instant:
        assert all(count % radio.mtu_bytes == 0 or count == size for count in there)
        assert there == sorted(set(there))
    if transfer.arrivals and not transfer.lost:
        last = transfer.arrivals[-1]
        assert (last.seconds, last.packets) == (transfer.seconds, transfer.packets)
        assert (last.airtime_s, last.retransmissions) == (transfer.airtime_s, transfer.retransmissions)


def test_a_message_given_up_half_way_has_brought_its_first_packets():
    radio = Radio("lossy", 1e6, loss=0.4, mtu_bytes=100, tries=2, timeout_s=0.01)
    lost = [radio.transfer(2000, UP, seed=0, sample=n) for n in range(40)]
    lost = [transfer for transfer in lost if transfer.lost]
    assert any(0 < transfer.arrived(transfer.seconds) < 2000 for transfer in lost)


@given(RADIO, SIZE, SEED, st.floats(0, 3))
def test_a_sender_that_stops_has_spent_no_more_than_the_time_and_no_more_than_it_would(
    radio, size, seed, after_s
):
    whole = radio.transfer(size, UP, seed=seed, sample=0)
    part = whole.stopped(after_s)
    if part is not whole:
        assert part.airtime_s <= min(whole.airtime_s, after_s + 1e-12)
        assert part.packets <= whole.packets
        assert part.retransmissions <= whole.retransmissions
        assert part.lost
    assert whole.stopped(whole.seconds) is whole


def test_a_sender_that_stops_between_packets_has_sent_those_before():
    radio = Radio("test", 1e6, latency_s=0.005, mtu_bytes=100)
    part = radio.transfer(1000, UP, seed=0, sample=0).stopped(0.002)
    assert part.airtime_s == pytest.approx(0.002), "the latency is not the transmitter's"
    assert part.packets == 3
    assert part.arrived(1.0) == 200


@given(RADIO, SIZE, SEED)
def test_no_message_without_losses_takes_longer_than_an_undisturbed_one(radio, size, seed):
    transfer = radio.transfer(size, UP, seed=seed, sample=0)
    if not transfer.retransmissions and not transfer.lost:
        assert transfer.seconds <= radio.undisturbed_s(size) * (1 + 1e-9)


@st.composite
def parts(draw) -> tuple[Ready, ...]:
    """A message in parts that become ready one after the other."""
    sizes = draw(st.lists(st.integers(1, 400), min_size=1, max_size=5))
    times = [
        0.0,
        *sorted(draw(st.lists(st.floats(0, 0.1), min_size=len(sizes) - 1, max_size=len(sizes) - 1))),
    ]
    return tuple(Ready(sum(sizes[: n + 1]), times[n]) for n in range(len(sizes)))


@given(RADIO, SIZE, SEED)
def test_a_message_that_is_ready_at_once_fares_as_if_nobody_had_asked(radio, size, seed):
    whole = radio.transfer(size, UP, seed=seed, sample=0)
    assert radio.transfer(size, UP, seed=seed, sample=0, ready=(Ready(size, 0.0),)) == whole


@given(RADIO, parts(), SEED)
def test_no_packet_leaves_before_its_bytes_are_there_or_before_the_one_in_front_of_it(radio, ready, seed):
    size = ready[-1].message_bytes
    transfer = radio.transfer(size, UP, seed=seed, sample=0, ready=ready)
    if radio.instant:
        assert transfer.seconds == ready[-1].seconds
        return
    through_s = 0.0
    for arrival in transfer.arrivals:
        part = next(part for part in ready if arrival.message_bytes <= part.message_bytes)
        assert arrival.begun_s >= part.seconds - 1e-9
        assert arrival.begun_s >= through_s - 1e-9
        through_s = arrival.seconds - transfer.latency_s
    ends = {arrival.message_bytes for arrival in transfer.arrivals}
    assert transfer.lost or ends >= {part.message_bytes for part in ready}, "no packet holds two parts"


@given(RADIO, parts(), SEED)
def test_bytes_that_are_ready_later_arrive_no_earlier_and_cost_the_same_airtime(radio, ready, seed):
    size = ready[-1].message_bytes
    late = radio.transfer(size, UP, seed=seed, sample=0, ready=ready)
    at_once = tuple(Ready(part.message_bytes, 0.0) for part in ready)
    soon = radio.transfer(size, UP, seed=seed, sample=0, ready=at_once)
    assert late.seconds >= soon.seconds - 1e-12
    assert late.seconds <= soon.seconds + ready[-1].seconds + 1e-9
    assert (late.airtime_s, late.packets, late.lost) == (soon.airtime_s, soon.packets, soon.lost)


def test_a_radio_waits_for_the_bytes_of_its_next_packet():
    radio = Radio("test", 1e6, latency_s=0.002, mtu_bytes=100, overhead_bytes=25)
    ready = (Ready(100, 0.0), Ready(200, 0.0005), Ready(250, 0.01))
    transfer = radio.transfer(250, UP, seed=0, sample=0, ready=ready)
    assert [arrival.begun_s for arrival in transfer.arrivals] == pytest.approx([0.0, 0.001, 0.01])
    assert transfer.seconds == pytest.approx(0.002 + 0.01 + 8 * 75 / 1e6)
    assert transfer.airtime_s == pytest.approx(8 * (250 + 3 * 25) / 1e6)
