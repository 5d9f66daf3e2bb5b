"""Training and judging one whole network as a classifier, for schemes that do not train a cut."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.memory_format import convert_conv2d_weight_memory_format

from hil.training.batches import Batches
from hil.training.classifier_recipes import ClassifierRecipe
from hil.training.device import arithmetic, identity, settle
from hil.training.figures import Mean, accuracy
from hil.training.optimiser import Decoupled
from hil.training.pretrain import finite
from hil.training.progress import Progress, Report
from hil.training.run import Run
from hil.training.schedules import cosine


def fit(network: nn.Module, batches: Batches, recipe: ClassifierRecipe, report: Report) -> None:
    """Trains `network`, (N, C, H, W) → (N, classes), in place, where `batches` are.

    Where `report` is a `Run` with a checkpoint, what that has behind it is not trained again.
    Raises TrainingError when the loss is no number any more.
    """
    run = Run.of(report)
    run.begin({"train": (recipe.epochs, 1.0)}, identity(batches.where))
    # Depthwise convolutions and their gradients are half as fast again in this layout.
    convert_conv2d_weight_memory_format(network, torch.channels_last)
    settle(network, recipe, batches.where)
    if recipe.compile:
        network.compile()
    optimiser = Decoupled(network.parameters(), recipe)
    steps = recipe.epochs * len(batches)
    network.train()
    for epoch in run.epochs("train", recipe.epochs, {"network": network, "optimiser": optimiser.inner}):
        mean, step, rate = Mean(), epoch.number * len(batches), 0.0
        for images, labels in batches.shuffled():
            with arithmetic(recipe, batches.where):
                logits = network(batches.upscaled(images))
            loss = cross_entropy(logits.float(), labels, label_smoothing=recipe.label_smoothing)
            factor = cosine(step, steps, warmup=len(batches))
            optimiser.step(finite(loss, "train"), factor)
            mean.add(loss)
            step, rate = step + 1, recipe.learning_rate * factor
        epoch.steps = mean.count
        score = accuracy(network, lambda images: _logits(network, batches, images), batches)
        epoch.figures = {"loss": mean.value(), "accuracy": score, "learning_rate": rate}
        epoch.text = f"loss {epoch.figures['loss']:.3f}"
    network.eval()


def _logits(network: nn.Module, batches: Batches, images: Tensor) -> Tensor:
    logits: Tensor = network(batches.upscaled(images))
    return logits


@torch.no_grad()
def predict(network: nn.Module, batches: Batches) -> NDArray[np.int64]:
    """(N,) the class of every sample in order, norms frozen."""
    network.eval()
    logits = [_logits(network, batches, images) for images, _ in batches.in_order()]
    predictions: NDArray[np.int64] = torch.cat(logits).argmax(1).cpu().numpy()
    return predictions


def judge(network: nn.Module, batches: Batches, report: Report) -> tuple[dict[str, float], NDArray[np.int64]]:
    """Metrics over all of `batches`, and the predictions that they come from."""
    report(Progress("evaluate", 0, 1))
    predictions = predict(network, batches)
    accuracy = float(np.mean(predictions == batches.split.labels))
    report(Progress("evaluate", 1, 1, f"accuracy {accuracy:.3f}"))
    return {"accuracy": accuracy}, predictions
