"""The training proper: task and attribution losses together."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy

from hil.training.attribution import Attributor
from hil.training.batches import Batches
from hil.training.device import arithmetic
from hil.training.figures import Mean, accuracy
from hil.training.optimiser import Decoupled
from hil.training.pretrain import finite
from hil.training.recipe import AgileRecipe
from hil.training.run import Run
from hil.training.schedules import cosine
from hil.training.skewing import Skewing
from hil.training.split_network import Outputs, SplitNetwork
from hil.training.state import Parts


def _task_loss(out: Outputs, labels: Tensor, recipe: AgileRecipe) -> Tensor:
    loss = cross_entropy(out.fused.float(), labels)
    if recipe.local_weight:
        alone = cross_entropy(out.local.float(), labels)
        loss = (1 - recipe.local_weight) * loss + recipe.local_weight * alone
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
    skewing = Skewing(attributor, recipe)
    steps = recipe.epochs * len(batches)
    kept = {**parts, "optimiser": optimiser.inner, "follower": attributor.optimiser}
    network.train()
    for epoch in run.epochs("train", recipe.epochs, kept):
        attributor.refresh()  # the judge may come from a checkpoint
        step, task_mean, skewness_mean, rate = epoch.number * len(batches), Mean(), Mean(), 0.0
        for images, labels in batches.shuffled():
            with arithmetic(recipe, batches.where):
                out = network(batches.upscaled(images))
            task = _task_loss(out, labels, recipe)
            factor = cosine(step, steps, warmup=len(batches))
            loss = skewing.loss(task, out, labels, factor, step)
            optimiser.step(finite(loss, "train"), factor)
            task_mean.add(task)
            skewness_mean.add(skewing.latest)
            rate = recipe.learning_rate * factor
            step += 1
        epoch.steps = task_mean.count
        epoch.figures = {
            "loss": task_mean.value(),
            "skewness": skewness_mean.value(),
            "accuracy": accuracy(network, lambda part: network(batches.upscaled(part)).fused, batches),
            "learning_rate": rate,
        }
        epoch.text = f"loss {task_mean.value():.3f}, skewness {skewness_mean.value():.2f}"
    attributor.refresh()
