"""SGD with momentum, or Adam, with decoupled weight decay (Loshchilov and Hutter, ICLR 2019)."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from hil.training.recipe import Recipe


class Decoupled:
    """Weights lose a share of themselves at each step, apart from the gradient.

    Norms, biases, centroids and fusion scalars (anything with fewer than two dimensions) do not.
    """

    def __init__(self, parameters: Iterable[Tensor], recipe: Recipe) -> None:
        self._recipe = recipe
        self._parameters = list(parameters)
        self._weights = [parameter for parameter in self._parameters if parameter.ndim > 1]
        self.inner: torch.optim.Optimizer
        if recipe.optimiser == "adam":
            self.inner = torch.optim.Adam(self._parameters, lr=0.0, foreach=True)
        else:
            self.inner = torch.optim.SGD(self._parameters, lr=0.0, momentum=recipe.momentum, foreach=True)

    def step(self, loss: Tensor, factor: float) -> None:
        """One update down `loss` (scalar), the recipe's rate and decay both times `factor`."""
        self.inner.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        with torch.no_grad():
            for weight in self._weights:
                weight.mul_(1 - self._recipe.weight_decay * factor)
        for group in self.inner.param_groups:
            group["lr"] = self._recipe.learning_rate * factor
        self.inner.step()
