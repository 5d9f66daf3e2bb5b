"""DeepCOD's losses: what they are nothing for, and what they grow with."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.training.distil import reconstruction_error, soft_label_loss


@given(st.integers(1, 5), st.integers(2, 6), st.floats(0.5, 8), st.integers(0, 9))
@settings(max_examples=30)
def test_soft_labels_ask_for_the_teachers_logits_up_to_a_constant(
    samples: int, classes: int, temperature: float, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    taught, other = 3 * torch.randn(2, samples, classes, generator=generator)
    assert soft_label_loss(taught + 1.5, taught, temperature).item() == pytest.approx(0, abs=1e-4)
    assert soft_label_loss(other, taught, temperature).item() > 0


def test_a_high_temperature_leaves_the_gradient_its_size() -> None:
    taught = torch.tensor([[2.0, 0.0, -1.0]])
    sizes = []
    for temperature in (10.0, 100.0):
        logits = torch.zeros(1, 3, requires_grad=True)
        torch.autograd.backward(soft_label_loss(logits, taught, temperature))
        assert logits.grad is not None
        sizes.append(logits.grad.norm().item())
    assert sizes[0] == pytest.approx(sizes[1], rel=0.1)


@given(st.floats(0.1, 10), st.floats(-5, 5))
@settings(max_examples=20)
def test_a_maps_error_does_not_depend_on_its_scale(scale: float, shift: float) -> None:
    original = torch.linspace(0, 1, 48).reshape(2, 3, 2, 4)
    rebuilt = original.flip(3)
    error = reconstruction_error(rebuilt, original).item()
    scaled = reconstruction_error(scale * rebuilt + shift, scale * original + shift).item()
    assert scaled == pytest.approx(error, rel=1e-2)
    assert reconstruction_error(original, original).item() == 0


def test_a_constant_reaches_1() -> None:
    original = torch.randn(4, 3, 16, 16)
    assert reconstruction_error(original.mean().expand_as(original), original).item() == pytest.approx(
        1, 0.01
    )
