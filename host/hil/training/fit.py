"""The training proper: task, attribution losses and rate together."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from hil.training import nested
from hil.training.attribution import Attributor
from hil.training.batches import Batches
from hil.training.device import arithmetic
from hil.training.figures import Mean, accuracy
from hil.training.optimiser import Decoupled
from hil.training.pretrain import finite
from hil.training.rate import bits_per_symbol
from hil.training.recipe import AgileRecipe
from hil.training.run import Run
from hil.training.schedules import cosine
from hil.training.skewing import Skewing
from hil.training.split_network import SplitNetwork
from hil.training.state import Parts
from hil.training.task_loss import task_loss


@dataclass
class Means:
    """Of an epoch's steps."""

    task: Mean = field(default_factory=Mean)
    skewness: Mean = field(default_factory=Mean)
    bits: Mean = field(default_factory=Mean)

    def figures(self) -> dict[str, float]:
        """Bits only where the rate was trained for."""
        shown = {"loss": self.task.value(), "skewness": self.skewness.value()}
        return shown | ({"bits_per_symbol": self.bits.value()} if self.bits.count else {})


class Objective:
    """What a step descends."""

    def __init__(
        self, network: SplitNetwork, attributor: Attributor, batches: Batches, recipe: AgileRecipe
    ) -> None:
        self._network = network
        self._skewing = Skewing(attributor, recipe)
        self._batches = batches
        self._recipe = recipe
        self._remote = recipe.channels - recipe.local_channels
        self._whole_share = recipe.whole_share if recipe.progressive else 1.0

    def loss(self, images: Tensor, labels: Tensor, factor: float, step: int, means: Means) -> Tensor:
        """A scalar, of normalised `images` at their own size; `factor` is the schedule's."""
        network, recipe = self._network, self._recipe
        complete = nested.draw(len(labels), self._remote, self._whole_share)
        with arithmetic(recipe, self._batches.where):
            out = network(self._batches.upscaled(images), complete)
        task = task_loss(out, labels, recipe)
        loss = self._skewing.loss(task, out, labels, factor, step)
        if recipe.rate_weight:
            bits = bits_per_symbol(network.remote_channels(out.features), network.quantiser)
            loss = loss + recipe.rate_weight * bits
            means.bits.add(bits)
        means.task.add(task)
        means.skewness.add(self._skewing.latest)
        return loss


def fit(
    network: SplitNetwork,
    attributor: Attributor,
    batches: Batches,
    recipe: AgileRecipe,
    parts: Parts,
    run: Run,
) -> None:
    """Trains `network` in place. Raises TrainingError when the loss is no number any more."""
    optimiser = Decoupled(network.parameters(), recipe)
    objective = Objective(network, attributor, batches, recipe)
    steps = recipe.epochs * len(batches)
    kept = {**parts, "optimiser": optimiser.inner, "follower": attributor.optimiser}
    network.train()
    for epoch in run.epochs("train", recipe.epochs, kept):
        attributor.refresh()  # the judge may come from a checkpoint
        step, means, rate = epoch.number * len(batches), Means(), 0.0
        for images, labels in batches.shuffled():
            factor = cosine(step, steps, warmup=len(batches))
            loss = objective.loss(images, labels, factor, step, means)
            optimiser.step(finite(loss, "train"), factor)
            rate = recipe.learning_rate * factor
            step += 1
        epoch.steps = means.task.count
        epoch.figures = {
            **means.figures(),
            "accuracy": accuracy(network, lambda part: network(batches.upscaled(part)).fused, batches),
            "learning_rate": rate,
        }
        epoch.text = f"loss {means.task.value():.3f}, skewness {means.skewness.value():.2f}"
    attributor.refresh()
