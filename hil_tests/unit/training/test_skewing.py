"""What a step pays for its attributions, and what it gets."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from hil.bundle import Bundle
from hil.schemes.agilenn import AgileNN
from hil.training.agilenn import cut_network, device_half
from hil.training.attribution import Attributor
from hil.training.losses import total_loss
from hil.training.progress import silent
from hil.training.reference import Judge, Reference
from hil.training.skewing import Skewing
from hil.training.split_network import Outputs
from hil_tests.unit.training.toy import RECIPE, Toy, recipe

SHAPE = torch.Size((12, 6, 6))
LABELS = torch.tensor([0, 1, 2, 0, 1, 2])


class Counted(Attributor):
    """Notes on how many samples it was asked for what."""

    def __init__(self, judge: Judge, **changes: Any) -> None:
        super().__init__(judge, recipe(**changes), SHAPE, 3)
        self.followed: list[int] = []
        self.attributed: list[int] = []

    def follow(self, features: Tensor, labels: Tensor, factor: float, refresh: bool = True) -> None:
        self.followed.append(len(features))
        super().follow(features, labels, factor, refresh)

    def importance(
        self, features: Tensor, labels: Tensor, differentiable: bool = False, intervals: int = 0
    ) -> Tensor:
        self.attributed.append(len(features))
        return super().importance(features, labels, differentiable, intervals)


def _judge() -> Judge:
    torch.manual_seed(0)
    reference = Reference(3, 12, RECIPE.reference_stages, RECIPE.reference_head, 3).eval()
    return Judge(reference, 12, 12).requires_grad_(False)


def _outputs() -> tuple[Tensor, Outputs]:
    """A batch through an untrained network: task loss and everything else."""
    torch.manual_seed(1)
    network = cut_network(device_half(RECIPE, 3, 3), 3, RECIPE, torch.device("cpu")).train()
    out = network(torch.randn(6, 3, 18, 18))
    return cross_entropy(out.fused, LABELS), out


def _losses(steps: int, **changes: Any) -> tuple[Counted, list[Tensor], list[Tensor]]:
    attributor = Counted(_judge(), follow_rate=0.0, **changes)
    skewing, losses, tasks = Skewing(attributor, recipe(**changes)), [], []
    for step in range(steps):
        task, out = _outputs()
        losses.append(skewing.loss(task, out, LABELS, 1.0, step).detach())
        tasks.append(task.detach())
    return attributor, losses, tasks


@pytest.mark.parametrize("every", [1, 2, 4])
def test_every_nth_step_attributes_and_the_mean_weight_of_both_losses_stays(every: int) -> None:
    attributor, losses, tasks = _losses(4, attribution_every=every)
    _, always, _ = _losses(4)
    assert len(attributor.attributed) == 4 // every
    assert torch.allclose(sum(losses, torch.zeros(())), sum(always, torch.zeros(())), atol=1e-5)
    if every > 1:
        assert losses[1] == RECIPE.lambda_ * tasks[1]


def test_the_judge_follows_in_every_step_at_the_price_of_one_step_in_n() -> None:
    attributor, _, _ = _losses(4, attribution_every=3)
    assert attributor.followed == [2, 2, 2, 2]


def test_a_part_of_the_batch_is_attributed_alone() -> None:
    attributor, (loss,), (task,) = _losses(1, attribution_batch=4)
    assert attributor.attributed == [4]
    _, out = _outputs()
    importance = attributor.importance(out.features[:4], LABELS[:4])
    local, rho = RECIPE.local_channels, RECIPE.rho
    assert torch.allclose(loss, total_loss(task, importance, local, rho, RECIPE.lambda_), atol=1e-5)


@pytest.mark.parametrize("part", [0, 6, 100])
def test_a_part_that_is_the_whole_changes_nothing(part: int) -> None:
    assert torch.equal(_losses(1, attribution_batch=part)[1][0], _losses(1)[1][0])


def _slope(**changes: Any) -> tuple[Tensor, Tensor]:
    """∂loss/∂features as a step descends it, and the features."""
    skewing = Skewing(Counted(_judge(), follow_rate=0.0, **changes), recipe(**changes))
    task, out = _outputs()
    seen: list[Tensor] = []
    loss = skewing.loss(task, out, LABELS, 1.0, 0)
    out.features.register_hook(seen.append)
    torch.autograd.backward(loss)
    return seen[0], out.features.detach()


def test_a_reused_gradient_is_the_importance_of_gradient_times_input() -> None:
    change = {"attribution_reuse": True, "lambda_": 0.5}
    found, features = _slope(**change)
    task, out = _outputs()
    (slope,) = torch.autograd.grad(0.5 * task, out.features)
    at = features.clone().requires_grad_()
    importance = (slope * at).abs().sum(dim=(2, 3))
    loss = total_loss(torch.zeros(()), importance, RECIPE.local_channels, RECIPE.rho, 0.5)
    (own,) = torch.autograd.grad(loss, at)
    assert own.abs().sum() > 0
    assert torch.allclose(found, slope + own, atol=1e-7)


def test_a_reused_gradient_never_asks_the_reference() -> None:
    attributor, _, _ = _losses(3, attribution_reuse=True)
    assert not attributor.attributed
    assert attributor.followed == [6, 6, 6]


CHEAPER = ({"attribution_every": 2}, {"attribution_batch": 4}, {"attribution_reuse": True})


def _skewness(**changes: Any) -> float:
    lasting = recipe(epochs=12, lambda_=0.4, learning_rate=0.03, **changes)
    made: Bundle = AgileNN().train(Toy(), lasting, 0, None, silent)
    return made.manifest.metrics["skewness"]


@pytest.fixture(scope="module")
def unskewed() -> float:
    return _skewness(rho=0.0)


@pytest.mark.parametrize("change", CHEAPER)
def test_cheaper_attribution_still_moves_importance_to_the_device(
    change: dict[str, Any], unskewed: float
) -> None:
    assert _skewness(**change) > unskewed + 0.1
