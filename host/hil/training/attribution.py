"""Importance of the feature map's channels, as a recipe asks for it."""

from __future__ import annotations

import torch
from torch import Tensor

from hil.explain import integrated_gradients, saliency
from hil.explain.gradients import gradient
from hil.training.device import arithmetic
from hil.training.recipe import AgileRecipe
from hil.training.reference import Judge


class Attributor:
    """Importance against `judge`, whose mapping layer can follow the features as they change.

    The loss's slope at 0 is the same for all samples of a class, so it is computed once for each.
    """

    def __init__(self, judge: Judge, recipe: AgileRecipe, feature_shape: torch.Size, classes: int) -> None:
        self._judge = judge
        self._recipe = recipe
        self._arithmetic = arithmetic(recipe, judge.mapping.weight.device)
        where = judge.mapping.weight.device
        self._classes = torch.arange(classes, device=where)
        self._zeros = torch.zeros(classes, *feature_shape, device=where)
        self.optimiser = torch.optim.SGD(judge.mapping.parameters(), lr=recipe.follow_rate, momentum=0.9)
        self.refresh()

    def refresh(self) -> None:
        """To be called after the judge has changed."""
        labels = self._classes
        self._slopes = gradient(self._zeros, lambda f: self._loss(f, labels), differentiable=False)

    def _loss(self, features: Tensor, labels: Tensor) -> Tensor:
        """The judge's (N,), in the recipe's arithmetic."""
        with self._arithmetic:
            return self._judge.loss(features, labels)

    def follow(self, features: Tensor, labels: Tensor, factor: float, refresh: bool = True) -> None:
        """One step of the mapping layer towards reading `features` (N, C, h, w), which are left alone.

        Without it the extractor satisfies the attribution losses by leaving the region in which
        the reference understands anything; its judgement is then worth nothing. Attribution
        losses never reach the mapping layer, and this loss never reaches the extractor. `factor`
        is the schedule's: a judge that moves on when the extractor no longer can undoes its skewness.
        Without `refresh` the next importance needs another step before it.
        """
        if not self._recipe.follow_rate:
            return
        self._judge.mapping.requires_grad_(True)
        for group in self.optimiser.param_groups:
            group["lr"] = self._recipe.follow_rate * factor
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(self._loss(features.detach(), labels).mean())
        self.optimiser.step()
        self._judge.mapping.requires_grad_(False)
        if refresh:
            self.refresh()

    def importance(
        self, features: Tensor, labels: Tensor, differentiable: bool = False, intervals: int = 0
    ) -> Tensor:
        """(N, C, h, w) and (N,) → (N, C). `intervals` asks for integrated gradients, with as many."""

        def loss_of(values: Tensor) -> Tensor:
            return self._loss(values, labels)

        if self._recipe.attribution == "saliency" and not intervals:
            return saliency.importance(features, loss_of, differentiable)
        return integrated_gradients.importance(
            features, loss_of, intervals or self._recipe.intervals, differentiable, self._slopes[labels]
        )
