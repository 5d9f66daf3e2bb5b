"""Before the network that is cut: the reference network, and an extractor that it understands."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from hil.errors import TrainingError
from hil.schemes.agilenn_device import DeviceHalf
from hil.training.batches import Batches
from hil.training.progress import Progress, Report
from hil.training.recipe import AgileRecipe
from hil.training.reference import Judge, Reference
from hil.training.schedules import cosine

LossOfBatch = Callable[[Tensor, Tensor], Tensor]


def finite(loss: Tensor, phase: str) -> Tensor:
    """`loss`, unless it is NaN or infinite: then TrainingError."""
    if not torch.isfinite(loss):
        raise TrainingError(f"training diverged in phase {phase!r}", "lower the recipe's learning rate")
    return loss


def _adam(
    parameters: Iterable[Tensor],
    batches: Batches,
    epochs: int,
    rate: float,
    loss_of: LossOfBatch,
    phase: str,
    report: Report,
) -> None:
    """Adam with a cosine, the authors' choice for the reference network (facts, R)."""
    optimiser = torch.optim.Adam(parameters, lr=rate, foreach=True)
    steps, step = epochs * len(batches), 0
    for epoch in range(epochs):
        loss = torch.zeros(())
        for images, labels in batches.shuffled():
            for group in optimiser.param_groups:
                group["lr"] = rate * cosine(step, steps)
            loss = finite(loss_of(images, labels), phase)
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            optimiser.step()
            step += 1
        report(Progress(phase, epoch + 1, epochs, f"loss {loss.item():.3f}"))


def train_reference(batches: Batches, classes: int, recipe: AgileRecipe, report: Report) -> Reference:
    """A reference network trained on `batches`, in evaluation mode."""
    inputs = batches.split.images.shape[3]
    reference = Reference(inputs, recipe.channels, recipe.reference_stages, recipe.reference_head, classes)
    reference.train()

    def loss_of(images: Tensor, labels: Tensor) -> Tensor:
        return nn.functional.cross_entropy(reference(images), labels, label_smoothing=0.1)

    _adam(
        reference.parameters(), batches, recipe.reference_epochs, recipe.reference_rate,
        loss_of, "reference", report,
    )  # fmt: skip
    return reference.eval()


def warm_up(device: DeviceHalf, judge: Judge, batches: Batches, recipe: AgileRecipe, report: Report) -> None:
    """Trains extractor and mapping layer until the frozen body can read the feature map.

    Only then do its gradients say anything about these features. Freezes the mapping layer.
    """
    extractor = [*device.stem.parameters(), *device.features.parameters()]
    device.train()

    def loss_of(images: Tensor, labels: Tensor) -> Tensor:
        return judge.loss(device.extract(batches.upscaled(images)), labels).mean()

    _adam(
        [*extractor, *judge.mapping.parameters()], batches, recipe.warmup_epochs, recipe.reference_rate * 3,
        loss_of, "warm-up", report,
    )  # fmt: skip
    judge.requires_grad_(False)
