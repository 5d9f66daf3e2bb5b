"""Training a network with exits: all of them together, by the weighted sum of their losses (SPINN)."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy

from hil.schemes.spinn_network import ExitNetwork
from hil.training.batches import Batches
from hil.training.device import arithmetic, identity
from hil.training.figures import Mean, accuracy
from hil.training.optimiser import Decoupled
from hil.training.pretrain import finite
from hil.training.run import Run
from hil.training.schedules import cosine
from hil.training.spinn_recipe import SpinnRecipe


def exit_weights(first: float, exits: int) -> list[float]:
    """From `first` for the first exit to 1 for the last, on a line, as shares of their sum."""
    weights = [first + (1 - first) * index / (exits - 1) for index in range(exits)]
    return [weight / sum(weights) for weight in weights]


def fit(network: ExitNetwork, batches: Batches, recipe: SpinnRecipe, run: Run) -> None:
    """Trains `network` in place, where `batches` are.

    Raises TrainingError when the loss is no number any more.
    """
    run.begin({"train": (recipe.epochs, 1.0)}, identity(batches.where))
    if recipe.compile:
        network.compile()
    optimiser = Decoupled(network.parameters(), recipe)
    weights = exit_weights(recipe.first_exit_weight, len(recipe.stages))
    steps = recipe.epochs * len(batches)
    network.train()
    for epoch in run.epochs("train", recipe.epochs, {"network": network, "optimiser": optimiser.inner}):
        mean, step, rate = Mean(), epoch.number * len(batches), 0.0
        for images, labels in batches.shuffled():
            with arithmetic(recipe, batches.where):
                answers = network(batches.upscaled(images))
            loss = _weighted(answers, labels, weights)
            factor = cosine(step, steps, warmup=len(batches))
            optimiser.step(finite(loss, "train"), factor)
            mean.add(loss)
            step, rate = step + 1, recipe.learning_rate * factor
        epoch.steps = mean.count
        epoch.figures = {
            "loss": mean.value(),
            "accuracy": accuracy(network, lambda part: _end(network, batches, part), batches),
            "learning_rate": rate,
        }
        epoch.text = f"loss {mean.value():.3f}"
    network.eval()


def _weighted(answers: list[Tensor], labels: Tensor, weights: list[float]) -> Tensor:
    losses = [
        weight * cross_entropy(logits.float(), labels)
        for weight, logits in zip(weights, answers, strict=True)
    ]
    return sum(losses[1:], losses[0])


def _end(network: ExitNetwork, batches: Batches, images: Tensor) -> Tensor:
    answers: list[Tensor] = network(batches.upscaled(images))
    return answers[-1]
