"""Before the network that is cut: the reference network, and an extractor that it understands."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from hil.errors import TrainingError
from hil.schemes.agilenn_device import DeviceHalf
from hil.training.batches import Batches
from hil.training.device import arithmetic, settle
from hil.training.figures import Mean, accuracy
from hil.training.recipe import AgileRecipe
from hil.training.reference import Judge, Reference
from hil.training.run import Run
from hil.training.schedules import cosine
from hil.training.state import Parts

LossOfBatch = Callable[[Tensor, Tensor], Tensor]


def finite(loss: Tensor, phase: str) -> Tensor:
    """`loss`, unless it is NaN or infinite: then TrainingError."""
    if not torch.isfinite(loss):
        raise TrainingError(f"training diverged in phase {phase!r}", "lower the recipe's learning rate")
    return loss


class _Adam:
    """Adam with a cosine, the authors' choice for the reference network (facts, R)."""

    def __init__(self, phase: str, batches: Batches, epochs: int, rate: float) -> None:
        self._phase = phase
        self._batches = batches
        self._epochs = epochs
        self._rate = rate

    def train(
        self,
        parameters: Iterable[Tensor],
        loss_of: LossOfBatch,
        score: Callable[[], float],
        parts: Parts,
        run: Run,
    ) -> None:
        """Descends `loss_of`; `parts` (and the optimiser) is what a checkpoint keeps."""
        optimiser = torch.optim.Adam(parameters, lr=self._rate, foreach=True)
        steps = self._epochs * len(self._batches)
        for epoch in run.epochs(self._phase, self._epochs, {**parts, "optimiser": optimiser}):
            mean, step, rate = Mean(), epoch.number * len(self._batches), self._rate
            for images, labels in self._batches.shuffled():
                rate = self._rate * cosine(step, steps)
                for group in optimiser.param_groups:
                    group["lr"] = rate
                loss = finite(loss_of(images, labels), self._phase)
                optimiser.zero_grad(set_to_none=True)
                torch.autograd.backward(loss)
                optimiser.step()
                mean.add(loss)
                step += 1
            epoch.steps = mean.count
            epoch.figures = {"loss": mean.value(), "accuracy": score(), "learning_rate": rate}
            epoch.text = f"loss {epoch.figures['loss']:.3f}"


def train_reference(batches: Batches, classes: int, recipe: AgileRecipe, run: Run) -> Reference:
    """A reference network trained on `batches`, in evaluation mode."""
    inputs = batches.split.images.shape[3]
    reference = Reference(inputs, recipe.channels, recipe.reference_stages, recipe.reference_head, classes)
    settle(reference, recipe, batches.where).train()
    if recipe.compile:
        reference.compile()

    def loss_of(images: Tensor, labels: Tensor) -> Tensor:
        with arithmetic(recipe, batches.where):
            logits = reference(images)
        return nn.functional.cross_entropy(logits.float(), labels, label_smoothing=0.1)

    _Adam("reference", batches, recipe.reference_epochs, recipe.reference_rate).train(
        reference.parameters(),
        loss_of,
        lambda: accuracy(reference, reference, batches),
        {"reference": reference},
        run,
    )
    return reference.eval()


def warm_up(
    device: DeviceHalf, judge: Judge, batches: Batches, recipe: AgileRecipe, parts: Parts, run: Run
) -> None:
    """Trains extractor and mapping layer until the frozen body can read the feature map.

    Only then do its gradients say anything about these features. Freezes the mapping layer.
    """
    extractor = [*device.stem.parameters(), *device.features.parameters()]
    device.train()

    def logits_of(images: Tensor) -> Tensor:
        logits: Tensor = judge(device.extract(batches.upscaled(images)))
        return logits

    def loss_of(images: Tensor, labels: Tensor) -> Tensor:
        with arithmetic(recipe, batches.where):
            features = device.extract(batches.upscaled(images))
            return judge.loss(features, labels).mean()

    _Adam("warm-up", batches, recipe.warmup_epochs, recipe.reference_rate * 3).train(
        [*extractor, *judge.mapping.parameters()],
        loss_of,
        lambda: accuracy(device, logits_of, batches),
        parts,
        run,
    )
    judge.requires_grad_(False)
