"""What stands for the channels of a payload that are not there."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hil.schemes.prefix import MISSING, known, measured


@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 4), st.data())
def test_the_first_channels_stay_and_the_rest_is_missing(
    channels: int, height: int, width: int, data: st.DataObject
) -> None:
    complete = data.draw(st.integers(0, channels))
    values = np.arange(1, channels * height * width + 1, dtype=np.float32).reshape(channels, height, width)
    before = values.copy()
    found = known(values, complete)
    assert found.dtype == np.float32
    assert np.array_equal(found[:complete], values[:complete])
    assert np.all(found[complete:] == MISSING)
    assert np.array_equal(values, before)


@given(st.integers(1, 64))
def test_what_is_measured_runs_from_nothing_to_less_than_the_whole(channels: int) -> None:
    counts = list(measured(channels).values())
    assert counts[0] == 0
    assert counts == sorted(counts)
    assert counts[-1] <= channels
    assert list(measured(channels)) == ["accuracy_at_0", "accuracy_at_25", "accuracy_at_50", "accuracy_at_75"]
