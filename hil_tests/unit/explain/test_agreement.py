"""How alike two attributions are, against SciPy and cases one can see."""

from __future__ import annotations

import pytest
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from hil.explain import agreement, integrated_gradients

ROWS = st.lists(st.integers(0, 5), min_size=3, max_size=8)


def _row(values: list[int]) -> Tensor:
    return torch.tensor([values], dtype=torch.float64)


@given(st.data())
def test_the_order_of_channels_is_compared_as_by_spearman_ties_included(draw: st.DataObject) -> None:
    one = draw.draw(ROWS)
    other = draw.draw(st.lists(st.integers(0, 5), min_size=len(one), max_size=len(one)))
    found = agreement.rank_correlation(_row(one), _row(other)).item()
    if len(set(one)) == 1 or len(set(other)) == 1:
        assert found == 0
    else:
        assert found == pytest.approx(scipy.stats.spearmanr(one, other).statistic)


def test_samples_are_compared_each_for_itself() -> None:
    one = torch.tensor([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]])
    assert agreement.rank_correlation(one, one[:1].expand(2, 3)).tolist() == pytest.approx([1, -1])


def test_of_two_top_channels_one_may_be_the_same() -> None:
    one, other = _row([9, 8, 1, 0]), _row([9, 1, 8, 0])
    assert agreement.top_agreement(one, other, 2).item() == 0.5
    assert agreement.top_agreement(one, one, 2).item() == 1


def test_shares_add_up_to_one_and_do_not_mind_the_scale() -> None:
    found = agreement.shares(torch.tensor([[1.0, 3.0], [10.0, 30.0], [0.0, 0.0]]))
    assert torch.allclose(found, torch.tensor([[0.25, 0.75], [0.25, 0.75], [0.0, 0.0]]))


def test_more_intervals_miss_the_change_of_the_loss_by_less() -> None:
    features = torch.rand((3, 2, 4, 4), generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def loss(values: Tensor) -> Tensor:
        return values.flatten(1).exp().sum(dim=1)

    change = loss(features) - loss(torch.zeros_like(features))
    gaps = [
        agreement.completeness_gap(integrated_gradients.attributions(features, loss, count), change).max()
        for count in (1, 2, 8)
    ]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 0.01 < gaps[0]
