"""DeepCOD's two phases: the uncompressed network learns, then the compressed one learns from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax, mse_loss, softmax

from hil.schemes.deepcod_device import Encoder
from hil.schemes.deepcod_server import DecodingServer, Uncompressed
from hil.training.batches import Batches
from hil.training.deepcod_recipe import DeepCodRecipe
from hil.training.device import arithmetic
from hil.training.figures import Mean, accuracy
from hil.training.optimiser import Decoupled
from hil.training.pretrain import finite
from hil.training.quantiser import Quantiser
from hil.training.run import Run
from hil.training.schedules import cosine
from hil.training.soft_entropy import soft_entropy
from hil.training.state import Parts

_TINY = 1e-6
_RATE_SAMPLES = 16
"""Of each batch, which is shuffled: their symbols are thousands already."""


class CompressedNetwork(nn.Module):
    """Encoder, quantiser, decoder, rest."""

    def __init__(self, encoder: Encoder, quantiser: Quantiser, server: DecodingServer) -> None:
        super().__init__()
        self.encoder = encoder
        self.quantiser = quantiser
        self.server = server

    def measure(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) → measurements (N, channels, h, w), not yet quantised."""
        return cast(Tensor, self.encoder(x)[1]).float()  # the payload is no matter for 16 bits

    def reconstruct(self, measured: Tensor) -> Tensor:
        """(N, channels, h, w) → the stem's map, as the server sees it."""
        return cast(Tensor, self.server.decoder(self.quantiser(measured)))

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, classes)."""
        return cast(Tensor, self.server.rest(self.reconstruct(self.measure(x))))


def soft_label_loss(logits: Tensor, taught: Tensor, temperature: float) -> Tensor:
    """KL(teacher / T ‖ student / T), a scalar.

    Times T², so that its gradient does not fall with T (Hinton et al., 2015).
    """
    wanted = softmax(taught / temperature, dim=1)
    given = log_softmax(logits / temperature, dim=1)
    return temperature**2 * kl_div(given, wanted, reduction="batchmean")


def reconstruction_error(rebuilt: Tensor, original: Tensor) -> Tensor:
    """Mean square error as a share of the original map's variance, a scalar: 1 is what a constant reaches."""
    return mse_loss(rebuilt, original) / (original.var() + _TINY)


@dataclass(frozen=True)
class Losses:
    """Scalars of one step: what is descended, and what an epoch's figures tell beside it."""

    total: Tensor
    figures: Mapping[str, Tensor] = field(default_factory=dict)


LossesOf = Callable[[Tensor, Tensor], Losses]


@dataclass(frozen=True)
class Phase:
    """What both phases share: where images, settings and progress come from."""

    batches: Batches
    recipe: DeepCodRecipe
    run: Run

    def train_teacher(self, teacher: Uncompressed) -> None:
        """Trains `teacher` in place, by labels alone, and freezes it. Raises TrainingError."""

        def losses_of(images: Tensor, labels: Tensor) -> Losses:
            with arithmetic(self.recipe, self.batches.where):
                logits = teacher(self.batches.upscaled(images))
            return Losses(self._by_labels(logits.float(), labels))

        epochs = self.recipe.teacher_epochs
        self._descend("teacher", epochs, teacher, teacher.parameters(), losses_of, {"teacher": teacher})
        teacher.requires_grad_(False).eval()

    def distil(self, network: CompressedNetwork, teacher: Uncompressed) -> None:
        """Trains `network` in place by labels and by `teacher`'s map and logits. Raises TrainingError."""
        recipe = self.recipe

        def losses_of(images: Tensor, labels: Tensor) -> Losses:
            x = self.batches.upscaled(images)
            with arithmetic(recipe, self.batches.where):
                with torch.no_grad():
                    original = teacher.stem(x)
                    taught = teacher.rest(original)
                measured = network.measure(x)
                rebuilt = network.reconstruct(measured)
                logits = network.server.rest(rebuilt).float()
            soft = soft_label_loss(logits, taught.float(), recipe.temperature)
            task = self._by_labels(logits, labels)
            answer = recipe.distillation * soft + (1 - recipe.distillation) * task
            error = reconstruction_error(rebuilt.float(), original.float())
            bits = soft_entropy(measured[:_RATE_SAMPLES], network.quantiser.centroids(), recipe.hardness)
            total = answer + recipe.reconstruction * error + recipe.rate * bits
            return Losses(total, {"reconstruction": error, "bits_per_symbol": bits})

        parts = {"teacher": teacher, "network": network}
        self._descend("distil", recipe.epochs, network, network.parameters(), losses_of, parts)
        network.eval()

    def _by_labels(self, logits: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)

    def _descend(
        self,
        name: str,
        epochs: int,
        network: nn.Module,
        parameters: Iterable[Tensor],
        losses_of: LossesOf,
        parts: Parts,
    ) -> None:
        batches, optimiser = self.batches, Decoupled(parameters, self.recipe)
        network.train()
        for epoch in self.run.epochs(name, epochs, {**parts, "optimiser": optimiser.inner}):
            step, factor = epoch.number * len(batches), 0.0
            total, means = Mean(), defaultdict[str, Mean](Mean)
            for images, labels in batches.shuffled():
                losses = losses_of(images, labels)
                factor = cosine(step, epochs * len(batches), warmup=len(batches))
                optimiser.step(finite(losses.total, name), factor)
                total.add(losses.total)
                for figure, value in losses.figures.items():
                    means[figure].add(value)
                step += 1
            epoch.steps = total.count
            epoch.figures = {
                "loss": total.value(),
                **{figure: mean.value() for figure, mean in means.items()},
                "accuracy": accuracy(network, lambda part: network(batches.upscaled(part)), batches),
                "learning_rate": self.recipe.learning_rate * factor,
            }
            epoch.text = f"loss {total.value():.3f}"
