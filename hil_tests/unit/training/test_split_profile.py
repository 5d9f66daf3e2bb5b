"""Between the halves: linear levels, which are the int8 graph's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hil.deploy.fuse import symbol_table
from hil.deploy.package import make_graph
from hil.schemes.spinn import Spinn
from hil.training.progress import silent
from hil.training.split_profile import indices, linear_levels, macs
from hil_tests.unit.training.toy import Toy
from hil_tests.unit.training.toy_classifiers import SPINN

RANGES = st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=30)


@given(RANGES, st.integers(2, 256))
def test_levels_are_equidistant_and_hold_zero(values: list[float], count: int) -> None:
    levels = np.array(linear_levels(torch.tensor(values), count))
    assert len(levels) == count
    assert 0.0 in levels
    steps = np.diff(levels)
    assert (steps > 0).all()
    assert steps == pytest.approx(steps[0])


@given(RANGES, st.integers(2, 256))
def test_no_value_in_range_moves_further_than_a_step(values: list[float], count: int) -> None:
    features = torch.tensor(values)
    levels = linear_levels(features, count)
    found = torch.tensor(levels)[indices(features, levels)]
    step = levels[1] - levels[0]
    assert (found - features).abs().max() <= step * 1.01 + 1e-6


@pytest.mark.parametrize("split", [1, 2])
def test_of_256_levels_each_is_an_int8_of_the_graph(split: int) -> None:
    made = Spinn().train(Toy(), replace(SPINN, epochs=1, split=split), 0, None, silent)
    graph = make_graph(made)
    assert made.manifest.payload is not None
    assert graph.feature is not None
    table = symbol_table(graph.tensor(graph.feature), made.manifest.payload.centroids)
    assert np.array_equal(table, np.arange(256))


def test_multiply_accumulates_are_counted_by_hand() -> None:
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, 2, 1), torch.nn.Conv2d(8, 8, 3, 1, 1, groups=8), torch.nn.Flatten(),
        torch.nn.Linear(8 * 16, 5),
    )  # fmt: skip
    assert macs(network, torch.zeros(1, 3, 8, 8)) == 16 * 8 * 27 + 16 * 8 * 9 + 128 * 5
