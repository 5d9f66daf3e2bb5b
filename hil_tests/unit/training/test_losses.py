"""The attribution losses pull importance into the first channels, in order."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from hil.training.losses import disorder, disorder_loss, skewness, skewness_loss, total_loss


@st.composite
def importances(draw: st.DrawFn) -> tuple[Tensor, int]:
    """Importance (N, C) and the number of local channels."""
    samples, channels = draw(st.integers(1, 5)), draw(st.integers(2, 24))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**16)))
    return torch.rand(samples, channels, generator=generator).double(), draw(st.integers(1, channels - 1))


def test_skewness_is_the_share_of_the_first_channels() -> None:
    assert skewness(torch.tensor([[3.0, 1.0, 4.0, 2.0]]), 2).item() == pytest.approx(0.4)


def test_disorder_is_the_gap_between_the_worst_local_and_the_best_remote_channel() -> None:
    assert disorder(torch.tensor([[3.0, 1.0, 4.0, 2.0]]), 2).item() == pytest.approx(0.3)
    assert disorder(torch.tensor([[3.0, 2.0, 2.0, 1.0]]), 2).item() == 0


@given(importances())
def test_both_are_shares(case: tuple[Tensor, int]) -> None:
    for figure in (skewness(*case), disorder(*case)):
        assert figure.shape == case[0].shape[:1]
        assert torch.all((figure >= 0) & (figure <= 1))


@given(importances(), st.floats(1e-3, 1e3))
def test_neither_depends_on_the_scale_of_the_loss(case: tuple[Tensor, int], scale: float) -> None:
    importance, local = case
    assert torch.allclose(skewness(importance * scale, local), skewness(importance, local))
    assert torch.allclose(disorder(importance * scale, local), disorder(importance, local))


@given(importances())
def test_sorted_channels_are_in_order(case: tuple[Tensor, int]) -> None:
    importance, local = case
    assert disorder_loss(importance.sort(dim=1, descending=True).values, local).item() == 0


@given(importances())
def test_channels_within_a_side_may_be_in_any_order(case: tuple[Tensor, int]) -> None:
    importance, local = case
    mirrored = torch.cat([importance[:, :local].flip(1), importance[:, local:].flip(1)], dim=1)
    assert torch.allclose(disorder(mirrored, local), disorder(importance, local))
    assert torch.allclose(skewness(mirrored, local), skewness(importance, local))


def test_enough_skewness_costs_nothing_and_pulls_no_further() -> None:
    importance = torch.tensor([[9.0, 1.0]], requires_grad=True)
    loss = skewness_loss(importance, 1, 0.8)
    torch.autograd.backward(loss)
    assert loss.item() == 0
    assert importance.grad is not None
    assert not importance.grad.any()


def test_too_little_skewness_costs_the_shortfall_and_pulls_towards_the_local_side() -> None:
    importance = torch.tensor([[6.0, 4.0], [10.0, 0.0]], requires_grad=True)
    loss = skewness_loss(importance, 1, 0.8)
    torch.autograd.backward(loss)
    assert loss.item() == pytest.approx(0.1)
    assert importance.grad is not None
    assert importance.grad[0, 0] < 0 < importance.grad[0, 1]


def test_a_sample_without_importance_gives_finite_losses_and_gradients() -> None:
    importance = torch.zeros(1, 4, requires_grad=True)
    loss = total_loss(torch.tensor(1.0), importance, 2, 0.8, 0.8)
    torch.autograd.backward(loss)
    assert torch.isfinite(loss)
    assert importance.grad is not None
    assert torch.isfinite(importance.grad).all()


@given(importances(), st.floats(0, 1), st.floats(0, 1), st.floats(0, 10))
def test_the_total_weighs_the_task_by_lambda(
    case: tuple[Tensor, int], rho: float, lambda_: float, task: float
) -> None:
    importance, local = case
    total = total_loss(torch.tensor(task), importance, local, rho, lambda_).item()
    rest = (skewness_loss(importance, local, rho) + disorder_loss(importance, local)).item()
    assert total == pytest.approx(lambda_ * task + (1 - lambda_) * rest, abs=1e-5)
