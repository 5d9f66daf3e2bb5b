"""Requantisation against exact rational arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.deploy.requantise import quantise_multiplier, requantise


@given(st.floats(2.0**-20, 100.0))
def test_a_multiplier_and_shift_stand_for_the_real_ratio(real: float) -> None:
    multiplier, shift = quantise_multiplier(real)
    assert 1 << 30 <= multiplier < 1 << 31
    assert multiplier * 2.0 ** (shift - 31) == pytest.approx(real, rel=2**-30)


@pytest.mark.parametrize("real", [0.0, 1e-12])
def test_a_vanishing_ratio_becomes_zero(real: float) -> None:
    assert quantise_multiplier(real) == (0, 0)


@given(st.integers(-(2**24), 2**24), st.floats(2.0**-18, 0.999))
def test_requantisation_rounds_twice_as_the_device_does(accumulator: int, real: float) -> None:
    multiplier, shift = quantise_multiplier(real)
    high = math.floor(Fraction(accumulator * multiplier, 1 << 31) + Fraction(1, 2))
    low = Fraction(high, 1 << -shift)
    expected = int(math.copysign(math.floor(abs(low) + Fraction(1, 2)), low))
    assert requantise(np.array([accumulator]), multiplier, shift)[0] == expected


@given(st.integers(-(2**20), 2**20))
def test_a_ratio_of_one_changes_nothing(accumulator: int) -> None:
    multiplier, shift = quantise_multiplier(1.0)
    assert requantise(np.array([accumulator]), multiplier, shift)[0] == accumulator
