"""A run's settings are checked before anything starts."""

from __future__ import annotations

import numpy as np
import pytest

from hil.data.dataset import Split
from hil.errors import BundleError, UsageError
from hil.session.options import RunOptions
from hil.session.samples import Samples, choose


@pytest.mark.parametrize(
    "setting",
    [
        {"n": 0}, {"deadline_ms": 0.5}, {"deadline_ms": 10_001}, {"deadline_ms": float("nan")},
        {"radio": "wlan"}, {"server_ms": -1.0}, {"seed": -1}, {"name": "../up"}, {"name": ""},
        {"request_timeout_s": 0.0}, {"recoveries": -1},
    ],
)  # fmt: skip
def test_an_impossible_setting_is_a_usage_error_with_a_hint(setting):
    with pytest.raises(UsageError) as caught:
        RunOptions(**setting)
    assert caught.value.hint


def test_samples_are_drawn_without_repetition_and_follow_the_seed():
    chosen = choose(50, 100, seed=3)
    assert len(set(chosen.tolist())) == 50
    assert (chosen == choose(50, 100, seed=3)).all()
    assert (chosen != choose(50, 100, seed=4)).any()
    assert (chosen == choose(80, 100, seed=3)[:50]).all(), "a longer run starts with the shorter one's"


def test_a_run_longer_than_the_split_takes_every_sample_before_any_comes_again():
    chosen = choose(25, 10, seed=0).tolist()
    assert sorted(chosen[:10]) == sorted(chosen[10:20]) == list(range(10))


def test_predictions_of_another_split_are_refused():
    split = Split(np.zeros((3, 2, 2, 1), np.float32), np.zeros(3, np.int64))
    with pytest.raises(BundleError, match="4 predictions for 3"):
        Samples(split, np.zeros(4, np.int64))
