"""Payloads that end early, in training: who keeps what, and that luck is only drawn where it is needed."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from hil.schemes import prefix
from hil.training import nested


@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 3), st.data())
def test_a_sample_loses_what_a_cut_payload_would(
    samples: int, channels: int, side: int, data: st.DataObject
) -> None:
    complete = data.draw(st.lists(st.integers(0, channels), min_size=samples, max_size=samples))
    values = torch.rand(samples, channels, side, side) + 1
    kept = nested.keep(values, torch.tensor(complete))
    for sample, count in enumerate(complete):
        assert np.array_equal(kept[sample].numpy(), prefix.known(values[sample].numpy(), count))


def test_what_is_lost_learns_nothing() -> None:
    values = torch.ones(1, 3, 2, 2, requires_grad=True)
    torch.autograd.backward(nested.keep(values, torch.tensor([2])).sum())
    assert values.grad is not None
    assert values.grad[0].sum((1, 2)).tolist() == [4, 4, 0]


def test_where_all_are_whole_nothing_is_drawn() -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    assert nested.draw(8, 19, 1.0) is None
    assert torch.equal(torch.rand(1), expected)


def test_a_share_is_whole_and_the_rest_ends_anywhere() -> None:
    torch.manual_seed(0)
    drawn = nested.draw(8000, 4, 0.5)
    assert drawn is not None
    shares = torch.bincount(drawn, minlength=5) / len(drawn)
    assert torch.allclose(shares, torch.tensor([0.125, 0.125, 0.125, 0.125, 0.5]), atol=0.02)


def test_without_a_share_every_sample_loses_something() -> None:
    drawn = nested.draw(500, 3, 0.0)
    assert drawn is not None
    assert set(drawn.tolist()) == {0, 1, 2}
