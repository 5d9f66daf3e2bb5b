"""The pieces of a step: schedule, optimiser, randomness."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from hil.training.determinism import seeded
from hil.training.optimiser import Decoupled
from hil.training.schedules import cosine
from hil_tests.unit.training.toy import recipe


@given(st.integers(1, 500), st.integers(0, 50))
def test_the_rate_rises_to_one_and_then_falls_towards_zero(steps: int, warmup: int) -> None:
    rates = [cosine(step, warmup + steps, warmup) for step in range(warmup + steps)]
    assert rates[warmup] == 1
    assert rates[: warmup + 1] == sorted(rates[: warmup + 1])
    assert rates[warmup:] == sorted(rates[warmup:], reverse=True)
    assert all(0 < rate <= 1 for rate in rates)


def test_half_way_down_the_rate_is_a_half() -> None:
    assert cosine(50, 100) == pytest.approx(0.5)


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_weights_decay_apart_from_the_gradient_and_biases_do_not(optimiser: str) -> None:
    layer = nn.Linear(2, 2)
    before = {name: value.detach().clone() for name, value in layer.named_parameters()}
    chosen = recipe(optimiser=optimiser, learning_rate=0.5, weight_decay=0.1)
    silent = sum((value * 0).sum() for value in layer.parameters())
    assert isinstance(silent, torch.Tensor)
    Decoupled(layer.parameters(), chosen).step(silent, factor=0.5)
    assert torch.allclose(layer.weight, before["weight"] * 0.95)
    assert torch.equal(layer.bias, before["bias"])


def test_momentum_carries_a_step_on() -> None:
    weight = nn.Parameter(torch.zeros(1))
    optimiser = Decoupled([weight], recipe(optimiser="sgd", learning_rate=1.0, momentum=0.5))
    optimiser.step(weight.sum(), 1.0)
    assert weight.item() == -1
    optimiser.step(weight.sum(), 1.0)
    assert weight.item() == -2.5


def test_the_same_seed_draws_the_same_and_leaves_the_callers_luck_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    drawn = []
    for _ in range(2):
        with seeded(1):
            drawn.append(torch.rand(3))
    assert torch.equal(*drawn)
    assert torch.equal(torch.rand(3), expected)


def _fails_inside(threads: int) -> None:
    with seeded(0, threads):
        assert torch.get_num_threads() == threads
        assert torch.are_deterministic_algorithms_enabled()
        raise RuntimeError("halt")


def test_threads_and_mode_come_back_even_after_an_error() -> None:
    threads, mode = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with pytest.raises(RuntimeError, match="halt"):
        _fails_inside(threads + 1)
    assert torch.get_num_threads() == threads
    assert torch.are_deterministic_algorithms_enabled() == mode
