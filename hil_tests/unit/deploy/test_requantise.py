"""Requantisation against exact rational arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.deploy.requantise import quantise_multiplier, requantise, single_rounding


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


@given(st.floats(2.0**-15, 0.999), st.integers(-(2**24), 2**24))
def test_without_a_shift_one_rounding_multiply_is_all(real: float, accumulator: int) -> None:
    multiplier, shift = single_rounding(real)
    assert shift == 0
    scaled = int(requantise(np.array([accumulator], np.int64), multiplier, shift)[0])
    assert scaled == (accumulator * multiplier + (1 << 30)) >> 31
    assert abs(scaled - accumulator * real) <= 0.5 + abs(accumulator) * 2.0**-32


@given(st.one_of(st.floats(0.0, 2.0**-17), st.floats(1.0, 1000.0)))
def test_ratios_that_need_a_shift_keep_it(real: float) -> None:
    assert single_rounding(real) == quantise_multiplier(real)
