"""Quantisation-aware fine-tuning (Jacob et al., CVPR 2018), where int8 costs more than a recipe allows."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hil.bundle import Bundle
from hil.data.dataset import Split
from hil.deploy.evaluate import evaluate_int8
from hil.errors import TrainingError
from hil.schemes.agilenn_device import DeviceHalf
from hil.training.attribution import Attributor
from hil.training.batches import Batches
from hil.training.figures import accuracy
from hil.training.fit import Means, Objective
from hil.training.optimiser import Decoupled
from hil.training.pretrain import finite
from hil.training.progress import Progress
from hil.training.quantised import Quantised
from hil.training.recipe import AgileRecipe
from hil.training.run import Run
from hil.training.schedules import cosine
from hil.training.split_network import SplitNetwork
from hil.training.state import Parts

PHASE = "qat"
_EVERY = 10
_FOLLOWS = 0.1
"""Pace of the judge beside that in training: what it judges hardly moves."""


@dataclass(frozen=True)
class Adapted:
    """What fine-tuning adds to a bundle; nothing where there was none."""

    metrics: dict[str, float] = field(default_factory=dict)
    """`qat_drop_before` and, if it was too much, `qat_drop_after`: int8 against the float network before
    fine-tuning, percentage points on the held-out samples. Fine-tuning that did not help is undone."""
    tensors: dict[str, NDArray[Any]] = field(default_factory=dict)


def hold_out(split: Split, recipe: AgileRecipe) -> tuple[Split, Split]:
    """Samples to train on, and every tenth, to measure what int8 costs.

    Every tenth, since a split may be sorted by class. All and none where `recipe` never asks.
    Raises TrainingError where there are too few.
    """
    if recipe.limit:
        split = split.first(recipe.limit)
    if not recipe.qat_epochs:
        return split, split.first(0)
    apart = np.arange(len(split)) % _EVERY == _EVERY - 1
    if not apart.any():
        raise TrainingError(f"of {len(split)} samples none can be held out", "raise the recipe's limit")
    return (
        Split(split.images[~apart], split.labels[~apart]),
        Split(split.images[apart], split.labels[apart]),
    )


class _Before(nn.Module):
    """Accuracies (float, int8) on the held-out samples before fine-tuning, as a checkpoint keeps them."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("before", torch.zeros(2, dtype=torch.float64))

    def measure(self, bundle: Bundle, apart: Split) -> float:
        """Percentage points that int8 costs."""
        found = evaluate_int8(bundle, apart.images, apart.labels, sizes=False)
        self.get_buffer("before").copy_(torch.tensor([found.float_accuracy, found.accuracy]))
        return 100 * found.drop

    def metrics(self) -> dict[str, float]:
        real, in_int8 = self.get_buffer("before").tolist()
        return {"qat_drop_before": 100 * (real - in_int8)}

    def metrics_after(self, bundle: Bundle, apart: Split) -> dict[str, float]:
        unused = np.zeros(len(apart), np.int64)
        found = evaluate_int8(bundle, apart.images, apart.labels, sizes=False, float_predictions=unused)
        real: float = self.get_buffer("before")[0].item()
        return {**self.metrics(), "qat_drop_after": 100 * (real - found.accuracy)}


class FineTuning:
    """Of one trained network: the device half on int8's grid, and the server half that reads from it.

    Quantiser and fusion stand still, so that what crosses the link keeps its alphabet and its tables.

    `samples` (N, height, width, channels) are prepared inputs to calibrate with.
    """

    def __init__(
        self,
        network: SplitNetwork,
        attributor: Attributor,
        batches: Batches,
        recipe: AgileRecipe,
        samples: NDArray[np.float32],
        parts: Parts,
    ) -> None:
        self._network = network
        self._attributor = attributor
        self._batches = batches
        self._recipe = recipe
        self._samples = samples
        self._parts = parts

    def run(self, bundle_of: Callable[[Adapted], Bundle], apart: Split, run: Run) -> Adapted:
        """Fine-tunes the network in place if int8 costs more than the recipe's `qat_drop` on `apart`.

        `bundle_of` gives the bundle that the network would become now. Raises TrainingError when
        the loss is no number any more, CaptureError where int8 cannot express the device half.
        """
        if not self._recipe.qat_epochs:
            return Adapted()
        before = _Before()
        # A checkpoint of this phase says that it was too much.
        if not run.ahead() and before.measure(bundle_of(Adapted()), apart) <= self._recipe.qat_drop:
            found = before.metrics()
            text = f"int8 costs {found['qat_drop_before']:.1f} points, which is allowed"
            run(Progress(PHASE, self._recipe.qat_epochs, self._recipe.qat_epochs, text))
            return Adapted(found)
        quantised = Quantised(self._network.device, self._samples.shape[1:], self._samples)
        untouched = copy.deepcopy(self._halves())
        self._fine_tune(quantised, run, {"before": before, "untouched": untouched})
        adapted = Adapted(before.metrics(), quantised.arrays())
        after = before.metrics_after(bundle_of(adapted), apart)
        if after["qat_drop_after"] >= after["qat_drop_before"]:
            self._halves().load_state_dict(untouched.state_dict())
            run(Progress(PHASE, self._recipe.qat_epochs, self._recipe.qat_epochs, "no better, and undone"))
            return Adapted(after)
        return replace(adapted, metrics=after)

    def _halves(self) -> nn.ModuleList:
        return nn.ModuleList([self._network.device, self._network.server])

    def _fine_tune(self, quantised: Quantised, run: Run, parts: Parts) -> None:
        batches, recipe = self._batches, self._recipe
        device = cast(DeviceHalf, quantised)  # all that an objective asks of one
        twin = SplitNetwork(device, self._network.quantiser, self._network.server, recipe.temperature)
        twin.shares = self._network.shares
        twin.eval().requires_grad_(False)
        tuned = self._halves().requires_grad_(True)
        # Weights that decay would leave the ranges that they were given.
        own = replace(recipe, optimiser="adam", learning_rate=recipe.qat_rate, weight_decay=0.0)
        optimiser = Decoupled(tuned.parameters(), own)
        objective = Objective(twin, self._attributor, batches, recipe)
        steps = recipe.qat_epochs * len(batches)
        kept = {
            **self._parts,
            **parts,
            "ranges": quantised.held,
            "optimiser": optimiser.inner,
            "follower": self._attributor.optimiser,
        }
        for epoch in run.epochs(PHASE, recipe.qat_epochs, kept):
            self._attributor.refresh()
            step, means, rate = epoch.number * len(batches), Means(), 0.0
            for images, labels in batches.shuffled():
                factor = cosine(step, steps)
                loss = objective.loss(images, labels, factor * _FOLLOWS, step, means)
                optimiser.step(finite(loss, PHASE), factor)
                rate = own.learning_rate * factor
                step += 1
            epoch.steps = means.task.count
            epoch.figures = {
                **means.figures(),
                "accuracy": accuracy(quantised, lambda part: twin(batches.upscaled(part)).fused, batches),
                "learning_rate": rate,
            }
            epoch.text = f"loss {means.task.value():.3f}, skewness {means.skewness.value():.2f}"
        self._attributor.refresh()
