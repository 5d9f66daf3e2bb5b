"""What a radio does to a message."""

from __future__ import annotations

import pytest

from hil.errors import UsageError
from hil.link import RADIOS, Direction, Radio, parse_radio

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
    ],
)
def test_a_wrong_text_says_what_is_wrong_and_what_is_valid(text, said):
    with pytest.raises(UsageError, match=said) as caught:
        parse_radio(text)
    assert caught.value.hint
