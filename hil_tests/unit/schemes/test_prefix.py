"""What stands for the channels of a payload that are not there."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hil.schemes.prefix import MISSING, known


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
