"""The scheduler takes the fastest of what keeps the accuracy, and nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.link.presets import RADIOS
from hil.link.radio import Radio
from hil.training.split_scheduler import (
    THRESHOLDS,
    Choice,
    Conditions,
    SplitProfile,
    choose,
    expect,
    first_sure,
)

WIFI, BLE = RADIOS["wifi-6m"], RADIOS["ble-270k"]


def conditions(radio: Radio = WIFI, server_s: float = 0.002) -> Conditions:
    return Conditions(radio, device_macs_per_s=1e8, server_s=server_s, reply_bytes=20)


@st.composite
def profiles(draw: st.DrawFn) -> list[SplitProfile]:
    """Of one network with some exits, whose later ones are right more often."""
    luck = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    splits, samples = draw(st.integers(1, 3)), draw(st.integers(1, 40))
    shares = np.sort(luck.uniform(0.2, 1.0, splits + 1))
    return [
        SplitProfile(
            split,
            device_macs=split * draw(st.integers(1, 5_000_000)),
            payload_bytes=draw(st.floats(1, 20_000)),
            confidence=luck.uniform(0, 1, (splits + 2 - split, samples)).astype(np.float32),
            right=luck.uniform(0, 1, (splits + 2 - split, samples)) < shares[split - 1 :, None],
        )
        for split in range(1, splits + 1)
    ]


def all_choices(given: list[SplitProfile], where: Conditions) -> list[Choice]:
    return [expect(profile, threshold, where) for profile in given for threshold in THRESHOLDS]


@given(profiles(), st.floats(0, 0.3), st.sampled_from([WIFI, BLE]))
def test_nothing_that_keeps_the_accuracy_is_faster(
    given: list[SplitProfile], loss: float, radio: Radio
) -> None:
    chosen = choose(given, conditions(radio), loss)
    least = max(profile.right[-1].mean() for profile in given) - loss
    options = all_choices(given, conditions(radio))
    assert chosen in options
    good = [option for option in options if option.accuracy >= least]
    if good:
        assert chosen.accuracy >= least
        assert chosen.latency_ms == min(option.latency_ms for option in good)
    else:
        assert chosen.accuracy == max(option.accuracy for option in options)


@given(profiles())
def test_a_higher_threshold_sends_more_and_takes_no_less_time(given: list[SplitProfile]) -> None:
    steps = [expect(given[0], threshold, conditions()) for threshold in THRESHOLDS]
    shares, times = [step.exit_share for step in steps], [step.latency_ms for step in steps]
    assert shares == sorted(shares, reverse=True)
    assert times == sorted(times)


@given(profiles(), st.sampled_from(THRESHOLDS))
def test_the_first_sure_exit_answers_and_the_last_one_in_any_case(
    given: list[SplitProfile], threshold: float
) -> None:
    confidence = given[0].confidence
    for sample, answering in enumerate(first_sure(confidence, threshold)):
        assert (confidence[:answering, sample] < threshold).all()
        assert answering == len(confidence) - 1 or confidence[answering, sample] >= threshold


def _certain(split: int, macs: int, payload_bytes: float) -> SplitProfile:
    """Never sure on the device, always right on the server."""
    confidence = np.array([[0.0] * 4, [1.0] * 4], np.float32)
    right = np.array([[False] * 4, [True] * 4])
    return SplitProfile(split, macs, payload_bytes, confidence, right)


def test_a_slow_link_pays_for_a_deeper_split_with_a_smaller_payload() -> None:
    candidates = [_certain(1, 1_000_000, 4_000), _certain(2, 3_000_000, 1_000)]
    assert choose(candidates, conditions(WIFI), 0.0).split == 1
    assert choose(candidates, conditions(BLE), 0.0).split == 2


def test_latency_is_computing_and_the_way_of_those_that_are_sent() -> None:
    half = SplitProfile(
        1, 1_000_000, 100.0, np.array([[0.9, 0.1], [0.5, 0.5]], np.float32), np.ones((2, 2), np.bool_)
    )
    found = expect(half, 0.5, conditions(WIFI, server_s=0.004))
    air_s = 8 * (100 + 76 + 20 + 76) / 6e6
    assert found.exit_share == 0.5
    assert found.latency_ms == pytest.approx(1000 * (0.01 + 0.5 * (0.002 + 0.004 + air_s)))


def test_where_sending_costs_nothing_only_computing_counts() -> None:
    free = Conditions(Radio("none", math.inf), 1e8, 0.0, 20)
    chosen = choose([_certain(1, 2_000_000, 9_000), _certain(2, 1_000_000, 9_000)], free, 0.0)
    assert (chosen.split, chosen.latency_ms) == (2, 10.0)


def test_accuracy_that_may_be_lost_is_spent_on_exits() -> None:
    confidence = np.array([[0.9, 0.8, 0.7, 0.6], [1.0] * 4], np.float32)
    right = np.array([[True, True, False, True], [True] * 4])
    profile = SplitProfile(1, 1_000_000, 1_000.0, confidence, right)
    strict, lax = (choose([profile], conditions(), loss) for loss in (0.0, 0.25))
    assert (strict.exit_share, strict.accuracy) == (0.5, 1.0)
    assert (lax.exit_share, lax.accuracy) == (1.0, 0.75)
    assert strict.confidence == 0.8, "the highest threshold that lets as many exit"
