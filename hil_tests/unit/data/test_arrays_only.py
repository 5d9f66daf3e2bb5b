"""Pickles from a publisher may hold arrays, and nothing that runs."""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from hil.data import arrays_only
from hil.errors import DataError

ARRAYS = npst.arrays(
    st.sampled_from([np.uint8, np.int64, np.float32]), npst.array_shapes(min_dims=1, max_dims=4, min_side=0)
)


class Runs:
    """Pickles into a call of `target`."""

    def __init__(self, target: Any, *arguments: Any) -> None:
        self.call = target, arguments

    def __reduce__(self) -> Any:
        return self.call


@given(ARRAYS)
def test_arrays_of_any_shape_come_back_whole(array: np.ndarray[Any, Any]) -> None:
    found = arrays_only.loads(pickle.dumps({"data": array}, protocol=4), "a test")["data"]
    assert found.dtype == array.dtype
    assert np.array_equal(found, array, equal_nan=array.dtype == np.float32)


@pytest.mark.parametrize(
    "harmful",
    [
        Runs(os.system, "true"),
        Runs(eval, "1"),
        Runs(subprocess.run, ["true"]),
        Runs(np.load, "x.npy"),
    ],
)
def test_a_pickle_that_calls_anything_is_refused(harmful: Runs) -> None:
    with pytest.raises(DataError, match="a stranger's file is no pickle of arrays"):
        arrays_only.loads(pickle.dumps(harmful, protocol=4), "a stranger's file")


@given(st.binary(max_size=200))
def test_noise_is_refused_or_read_but_never_crashes(noise: bytes) -> None:
    with contextlib.suppress(DataError):
        arrays_only.loads(noise, "noise")
