"""Attributions against networks whose gradients are known in closed form."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from hil.explain import integrated_gradients, saliency

SHAPES = st.tuples(*(st.integers(1, 4) for _ in range(4)))
SEEDS = st.integers(0, 2**16)


def _random(shape: tuple[int, ...], seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _total(values: Tensor) -> Tensor:
    return values.flatten(1).sum(dim=1)


@given(SHAPES, SEEDS, st.integers(1, 5))
def test_a_linear_loss_is_attributed_exactly_whatever_the_intervals(
    shape: tuple[int, ...], seed: int, intervals: int
) -> None:
    features, weights = _random(shape, seed), _random(shape[1:], seed + 1)
    found = integrated_gradients.attributions(features, lambda f: _total(weights * f), intervals)
    assert torch.allclose(found, weights * features)


@given(SHAPES, SEEDS)
def test_two_points_are_exact_for_a_quadratic_loss(shape: tuple[int, ...], seed: int) -> None:
    features = _random(shape, seed)
    found = integrated_gradients.importance(features, lambda f: _total(f**2 + 3 * f))
    assert torch.allclose(found, (features**2 + 3 * features).abs().sum(dim=(2, 3)))


@given(SHAPES, SEEDS)
@settings(max_examples=20)
def test_shares_add_up_to_the_change_of_the_loss(shape: tuple[int, ...], seed: int) -> None:
    features = _random(shape, seed)

    def loss(f: Tensor) -> Tensor:
        return torch.log1p(_total(f**2)) + torch.tanh(_total(f))

    found = integrated_gradients.attributions(features, loss, intervals=100)
    change = loss(features) - loss(torch.zeros_like(features))
    assert torch.allclose(_total(found), change, atol=2e-2)


@given(SHAPES, SEEDS)
def test_two_points_are_the_papers_rule(shape: tuple[int, ...], seed: int) -> None:
    features = _random(shape, seed)
    # d/df exp(f) is exp(f), and 1 at the baseline.
    found = integrated_gradients.importance(features, lambda f: _total(f.exp()))
    expected = (0.5 * (features.exp() + 1) * features).abs().sum(dim=(2, 3))
    assert torch.allclose(found, expected)


@given(SHAPES, SEEDS)
def test_a_known_slope_at_zero_changes_nothing(shape: tuple[int, ...], seed: int) -> None:
    features = _random(shape, seed)
    plain = integrated_gradients.importance(features, lambda f: _total(f.exp()), 3)
    known = integrated_gradients.importance(
        features, lambda f: _total(f.exp()), 3, slope_at_zero=torch.ones_like(features)
    )
    assert torch.equal(plain, known)


@given(SHAPES, SEEDS)
def test_saliency_is_the_absolute_slope(shape: tuple[int, ...], seed: int) -> None:
    features = _random(shape, seed)
    found = saliency.importance(features, lambda f: _total(f**3))
    assert torch.allclose(found, (3 * features**2).sum(dim=(2, 3)))


@given(SHAPES, SEEDS, st.sampled_from([1, 3]))
def test_importance_can_be_back_propagated_through(shape: tuple[int, ...], seed: int, intervals: int) -> None:
    features = _random(shape, seed).abs().add(0.1).requires_grad_()
    # Integral of exp along the path, times f: with n intervals the trapezoid's own closed form.
    importance = integrated_gradients.importance(features, lambda f: _total(f.exp()), intervals, True)
    (slope,) = torch.autograd.grad(importance.sum(), features)
    f, n = features.detach(), intervals
    inner = sum((f * i / n).exp() * (1 + f * i / n) for i in range(1, n))
    expected = (0.5 * (f.exp() * (1 + f) + 1) + inner) / n
    assert torch.allclose(slope, expected)


def test_saliency_can_be_back_propagated_through() -> None:
    features = _random((2, 3, 4, 4), 0).requires_grad_()
    torch.autograd.backward(saliency.importance(features, lambda f: _total(f**3), True).sum())
    assert features.grad is not None
    assert torch.allclose(features.grad, 6 * features.detach())


def test_plain_importance_leaves_no_graph_and_works_without_gradients() -> None:
    features = _random((2, 3, 4, 4), 0)
    with torch.no_grad():
        found = saliency.importance(features, lambda f: _total(f**3))
    assert not found.requires_grad


def test_no_interval_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one interval"):
        integrated_gradients.importance(_random((1, 1, 1, 1), 0), _total, 0)


def test_captum_agrees() -> None:
    captum = pytest.importorskip("captum.attr", reason="captum is not installed")
    features = _random((4, 3, 5, 5), 7)

    def loss(f: Tensor) -> Tensor:
        return torch.log1p(_total(f**2))

    # captum's trapezoid weights sum to (n - 1) / n over n points; its Gauss-Legendre rule is exact here.
    theirs = captum.IntegratedGradients(loss).attribute(features, n_steps=50, method="gausslegendre")
    assert torch.allclose(integrated_gradients.attributions(features, loss, 400), theirs, rtol=1e-3)
