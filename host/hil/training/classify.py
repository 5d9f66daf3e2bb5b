"""Training and judging one whole network as a classifier, for schemes that do not train a cut."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.memory_format import convert_conv2d_weight_memory_format

from hil.training.batches import Batches
from hil.training.classifier_recipes import ClassifierRecipe
from hil.training.optimiser import Decoupled
from hil.training.pretrain import finite
from hil.training.progress import Progress, Report
from hil.training.schedules import cosine


def fit(network: nn.Module, batches: Batches, recipe: ClassifierRecipe, report: Report) -> None:
    """Trains `network`, (N, C, H, W) → (N, classes), in place.

    Raises TrainingError when the loss is no number any more.
    """
    # Depthwise convolutions and their gradients are half as fast again in this layout.
    convert_conv2d_weight_memory_format(network, torch.channels_last)
    optimiser = Decoupled(network.parameters(), recipe)
    steps, step = recipe.epochs * len(batches), 0
    network.train()
    for epoch in range(recipe.epochs):
        text = ""
        for images, labels in batches.shuffled():
            logits = network(batches.upscaled(images))
            loss = cross_entropy(logits, labels, label_smoothing=recipe.label_smoothing)
            optimiser.step(finite(loss, "train"), cosine(step, steps, warmup=len(batches)))
            step += 1
            text = f"loss {loss.item():.3f}"
        report(Progress("train", epoch + 1, recipe.epochs, text))
    network.eval()


@torch.no_grad()
def predict(network: nn.Module, batches: Batches) -> NDArray[np.int64]:
    """(N,) the class of every sample in order, norms frozen."""
    network.eval()
    logits = [network(batches.upscaled(images)) for images, _ in batches.in_order()]
    predictions: NDArray[np.int64] = torch.cat(logits).argmax(1).numpy()
    return predictions


def judge(network: nn.Module, batches: Batches, report: Report) -> tuple[dict[str, float], NDArray[np.int64]]:
    """Metrics over all of `batches`, and the predictions that they come from."""
    report(Progress("evaluate", 0, 1))
    predictions = predict(network, batches)
    accuracy = float(np.mean(predictions == batches.split.labels))
    report(Progress("evaluate", 1, 1, f"accuracy {accuracy:.3f}"))
    return {"accuracy": accuracy}, predictions
