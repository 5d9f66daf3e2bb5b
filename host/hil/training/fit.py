"""The training proper: task and attribution losses together."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy

from hil.training.attribution import Attributor
from hil.training.batches import Batches
from hil.training.losses import skewness, total_loss
from hil.training.optimiser import Decoupled
from hil.training.pretrain import finite
from hil.training.progress import Progress, Report
from hil.training.recipe import AgileRecipe
from hil.training.schedules import cosine
from hil.training.split_network import Outputs, SplitNetwork


def _task_loss(out: Outputs, labels: Tensor, recipe: AgileRecipe) -> Tensor:
    loss = cross_entropy(out.fused, labels)
    if recipe.local_weight:
        alone = cross_entropy(out.local, labels)
        loss = (1 - recipe.local_weight) * loss + recipe.local_weight * alone
    return loss


def fit(
    network: SplitNetwork, attributor: Attributor, batches: Batches, recipe: AgileRecipe, report: Report
) -> None:
    """Trains `network` in place. Raises TrainingError when the loss is no number any more."""
    optimiser = Decoupled(network.parameters(), recipe)
    local, rho = recipe.local_channels, min(1.0, recipe.rho + recipe.rho_slack)
    steps, step = recipe.epochs * len(batches), 0
    network.train()
    for epoch in range(recipe.epochs):
        text = ""
        for images, labels in batches.shuffled():
            out = network(batches.upscaled(images))
            task = _task_loss(out, labels, recipe)
            factor = cosine(step, steps, warmup=len(batches))
            attributor.follow(out.features, labels, factor)
            importance = attributor.importance(out.features, labels, differentiable=True)
            loss = total_loss(task, importance, local, rho, recipe.lambda_)
            optimiser.step(finite(loss, "train"), factor)
            step += 1
            text = f"loss {task.item():.3f}, skewness {skewness(importance, local).mean().item():.2f}"
        report(Progress("train", epoch + 1, recipe.epochs, text))
