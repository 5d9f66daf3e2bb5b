"""The payload's entropy as a loss: it knows how many bits a channel takes, and can be descended."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.training.soft_entropy import soft_entropy

CENTROIDS = torch.tensor([5.0, 1.0, 3.0])


@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 4), st.integers(0, 9))
@settings(max_examples=30)
def test_a_symbol_has_no_more_bits_than_an_alphabet_of_its_size(
    samples: int, channels: int, side: int, seed: int
) -> None:
    values = 6 * torch.rand(samples, channels, side, side, generator=torch.Generator().manual_seed(seed))
    bits = soft_entropy(values, CENTROIDS, 4.0)
    assert bits.shape == ()
    assert -1e-4 <= bits.item() <= torch.log2(torch.tensor(3.0)).item() + 1e-4


@pytest.mark.parametrize(("row", "bits"), [([1, 1, 1, 1], 0.0), ([1, 5, 1, 5], 1.0), ([1, 5, 5, 5], 0.8113)])
def test_on_the_centroids_it_is_shannons_entropy(row: list[float], bits: float) -> None:
    values = torch.tensor(row).reshape(1, 1, 2, 2)
    assert soft_entropy(values, CENTROIDS, 100.0).item() == pytest.approx(bits, abs=1e-3)


def test_channels_that_differ_from_each_other_alone_cost_nothing() -> None:
    values = torch.tensor([1.0, 5.0]).reshape(1, 2, 1, 1).expand(3, 2, 4, 4)
    assert soft_entropy(values, CENTROIDS, 100.0).item() == pytest.approx(0, abs=1e-3)


def test_its_gradient_makes_common_symbols_more_common() -> None:
    values = torch.tensor([1.0, 1.0, 1.0, 2.1]).reshape(1, 1, 2, 2).requires_grad_()
    soft_entropy(values, torch.tensor([1.0, 3.0]), 1.0).backward()  # type: ignore[no-untyped-call]
    assert values.grad is not None
    assert values.grad[0, 0, 1, 1] > 0, "downhill is towards 1, though 3 is nearer"
