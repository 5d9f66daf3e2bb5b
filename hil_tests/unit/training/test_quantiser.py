"""The payload's quantiser: hard forward, soft backward, always within ReLU6's range."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from hil.training.quantiser import Quantiser, nearest

SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)
COUNTS = st.integers(2, 32)
HARDNESS = st.sampled_from([0.5, 2.0, 8.0])
SEEDS = st.integers(0, 2**16)


def _quantiser(count: int, hardness: float, seed: int) -> Quantiser:
    made = Quantiser(count, hardness).double()
    torch.manual_seed(seed)
    made.parameter.data.normal_(0, 3)
    return made


def _values(shape: tuple[int, ...]) -> Tensor:
    return (6 * torch.rand(shape, dtype=torch.float64)).requires_grad_()


@given(SHAPES, COUNTS, HARDNESS, SEEDS)
def test_every_value_becomes_its_nearest_centroid(
    shape: tuple[int, ...], count: int, hardness: float, seed: int
) -> None:
    quantiser = _quantiser(count, hardness, seed)
    values = _values(shape)
    distance = (values.unsqueeze(-1) - quantiser.centroids()).abs()
    moved = (quantiser(values) - values).abs()
    assert torch.allclose(moved, distance.amin(dim=-1))


@given(SHAPES, COUNTS, HARDNESS, SEEDS)
def test_gradients_are_those_of_the_soft_assignment(
    shape: tuple[int, ...], count: int, hardness: float, seed: int
) -> None:
    quantiser = _quantiser(count, hardness, seed)
    values, weight = _values(shape), torch.rand(shape, dtype=torch.float64)
    inputs = (values, quantiser.parameter)
    found = torch.autograd.grad((quantiser(values) * weight).sum(), inputs)
    centroids = quantiser.centroids()
    share = torch.softmax(-hardness * (values.unsqueeze(-1) - centroids) ** 2, dim=-1)
    soft = (share * centroids).sum(dim=-1)
    for ours, expected in zip(found, torch.autograd.grad((soft * weight).sum(), inputs), strict=True):
        assert torch.allclose(ours, expected, atol=1e-8)


@given(COUNTS, SEEDS)
def test_centroids_stay_in_the_range_of_relu6_and_are_exported_ascending(count: int, seed: int) -> None:
    quantiser = _quantiser(count, 1.0, seed)
    quantiser.parameter.data *= 10
    exported = quantiser.ascending()
    assert len(exported) == count
    assert list(exported) == sorted(exported)
    assert exported[0] >= 0
    assert exported[-1] <= 6


@given(SHAPES, COUNTS, SEEDS)
def test_the_index_sent_names_the_value_that_training_saw(
    shape: tuple[int, ...], count: int, seed: int
) -> None:
    quantiser = _quantiser(count, 1.0, seed)
    values = _values(shape)
    ascending = torch.tensor(quantiser.ascending(), dtype=torch.float64)
    assert torch.equal(ascending[nearest(values, ascending)], quantiser(values))


def test_of_two_equally_near_centroids_the_lower_is_taken() -> None:
    assert nearest(torch.tensor([1.5, 0.0, 9.0]), torch.tensor([1.0, 2.0, 3.0])).tolist() == [0, 0, 2]


@pytest.mark.parametrize("count", [2, 8, 32])
def test_centroids_start_spread_over_the_range_and_denser_towards_zero(count: int) -> None:
    start = torch.tensor(Quantiser(count, 1.0).ascending())
    assert 0 < start[0] < 0.1
    assert start[-1] > 2
    gaps = start.diff()
    assert torch.all(gaps.diff() > 0)


def test_a_map_that_is_not_contiguous_is_quantised_like_its_copy() -> None:
    quantiser, features = Quantiser(8, 2.0), 6 * torch.rand(2, 24, 4, 4)
    assert torch.equal(quantiser(features[:, 5:]), quantiser(features[:, 5:].clone()))
