"""What the answers are trained for: the fused one, and by choice the local one alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from hil.training.split_network import Outputs
from hil.training.task_loss import distillation, task_loss
from hil_tests.unit.training.toy import recipe

LABELS = torch.tensor([0, 2, 1, 1])


def _outputs() -> Outputs:
    torch.manual_seed(0)
    fused, local, remote = (torch.randn(4, 3, requires_grad=True) for _ in range(3))
    return Outputs(fused, local, remote, torch.zeros(4, 6, 2, 2))


def _slopes(loss: Tensor, out: Outputs) -> tuple[Tensor | None, ...]:
    return torch.autograd.grad(loss, (out.fused, out.local), allow_unused=True)


def test_by_default_only_the_fused_answer_counts() -> None:
    out = _outputs()
    loss = task_loss(out, LABELS, recipe())
    assert torch.equal(loss, cross_entropy(out.fused, LABELS))
    assert _slopes(loss, out)[1] is None


def test_a_pupil_that_agrees_costs_nothing_and_any_other_something() -> None:
    logits = torch.randn(5, 4)
    assert distillation(logits, logits + 3, 2.0).item() == pytest.approx(0, abs=1e-6)
    assert distillation(logits, logits.flip(1), 2.0).item() > 0


def test_only_the_pupil_learns() -> None:
    out = _outputs()
    pupil, teacher = out.local, out.fused
    slopes = torch.autograd.grad(distillation(pupil, teacher, 2.0), (pupil, teacher), allow_unused=True)
    assert slopes[0].any()
    assert slopes[1] is None


@pytest.mark.parametrize("weight", [0.5, 2.0])
def test_distillation_comes_on_top_by_its_weight(weight: float) -> None:
    out = _outputs()
    found = task_loss(out, LABELS, recipe(local_distillation=weight, distillation_temperature=3.0))
    taught = distillation(out.local, out.fused, 3.0)
    assert torch.allclose(found, cross_entropy(out.fused, LABELS) + weight * taught)


def test_at_a_high_temperature_the_weight_of_the_lesson_stays() -> None:
    out = _outputs()
    sizes = [
        torch.autograd.grad(distillation(out.local, out.fused, heat), out.local)[0].norm()
        for heat in (20.0, 40.0)
    ]
    assert sizes[1] == pytest.approx(sizes[0].item(), rel=0.1)
