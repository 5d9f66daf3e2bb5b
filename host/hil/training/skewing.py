"""What a step of training does about importance: attribute, or leave it to another step.

Three ways to pay less than a double back-propagation through the reference per sample and step
(docs/training.md has what each is worth): every n-th step, a part of the batch, the task loss's
own gradient.
"""

from __future__ import annotations

import torch
from torch import Tensor

from hil.explain.gradients import per_channel
from hil.training.attribution import Attributor
from hil.training.losses import attribution_loss, skewness, total_loss
from hil.training.recipe import AgileRecipe
from hil.training.split_network import Outputs


def _first(values: Tensor, count: int) -> Tensor:
    """The first samples of a batch: as it is shuffled, as good a choice as any."""
    return values if count == len(values) else values[:count]


class Skewing:
    """Adds the attribution losses to the task loss, as often and on as much as the recipe says."""

    def __init__(self, attributor: Attributor, recipe: AgileRecipe) -> None:
        self._attributor = attributor
        self._recipe = recipe
        self._local = recipe.local_channels
        self._rho = min(1.0, recipe.rho + recipe.rho_slack)
        self.latest = torch.zeros(())
        """Skewness (scalar) when it was last looked at."""

    def loss(self, task: Tensor, out: Outputs, labels: Tensor, factor: float, step: int) -> Tensor:
        """The loss (scalar) to descend in `step`; lets the mapping layer follow at the schedule's `factor`.

        A step without attribution has λ·task alone; the others make up for it, so that both
        losses keep their mean weights.
        """
        recipe, samples = self._recipe, len(labels)
        due = step % recipe.attribution_every == 0
        count = min(samples, recipe.attribution_batch or samples)
        # A judge that only follows now and then loses sight of the features; one that follows on an
        # n-th of the batch in each step costs no more.
        follows = max(1, min(count, samples // recipe.attribution_every))
        self._attributor.follow(_first(out.features, follows), _first(labels, follows), factor, refresh=due)
        if recipe.attribution_reuse:
            out.features.register_hook(lambda slope: self._reused(out.features, slope))  # type: ignore[no-untyped-call]
            return recipe.lambda_ * task
        if not due:
            return recipe.lambda_ * task
        importance = self._attributor.importance(
            _first(out.features, count), _first(labels, count), differentiable=True
        )
        self.latest = skewness(importance.detach(), self._local).mean()
        return total_loss(task, importance, self._local, self._rho, recipe.lambda_, recipe.attribution_every)

    def _reused(self, features: Tensor, slope: Tensor) -> Tensor:
        """The gradient at `features`, with that of the attribution losses added on its way down.

        `slope` is λ·∂task/∂features, and |slope · features| an importance: gradient × input, by the
        network in training. The slope counts as a constant, so nothing is differentiated twice.
        """
        with torch.enable_grad():
            at = features.detach().requires_grad_()
            importance = per_channel(slope.detach() * at)
            self.latest = skewness(importance.detach(), self._local).mean()
            loss = (1 - self._recipe.lambda_) * attribution_loss(importance, self._local, self._rho)
            (own,) = torch.autograd.grad(loss, at)
        return slope + own
