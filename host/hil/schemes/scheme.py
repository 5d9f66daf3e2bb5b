"""What every offloading scheme is to the rest of hil."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from hil.bundle import Bundle, Manifest
from hil.data.dataset import Dataset
from hil.training.progress import Report
from hil.training.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn


class Scheme(Protocol):
    """Implementations import torch only when they train or build."""

    @property
    def name(self) -> str: ...

    @property
    def summary(self) -> str:
        """One line for `hil schemes`."""
        ...

    def recipe(self, dataset: Dataset) -> Recipe:
        """The settings it is trained with on `dataset` unless told otherwise."""
        ...

    def train(
        self, dataset: Dataset, recipe: Recipe, seed: int, data_dir: Path | None, progress: Report
    ) -> Bundle:
        """A trained bundle; the same arguments give the same bundle on the same machine.

        Raises DataError when the data set cannot be read, TrainingError when training diverges.
        """
        ...

    def build_device(self, manifest: Manifest) -> nn.Module:
        """The untrained device half, in evaluation mode.

        Takes (N, C, H, W) float32; returns local logits (N, classes) and the feature map (N, C', h, w).
        Logits are None where nothing is answered here; a scheme that sends nothing returns them alone.
        """
        ...

    def build_server(self, manifest: Manifest) -> nn.Module:
        """The untrained server half, in evaluation mode: centroid values (N, C, h, w) → (N, classes).

        Raises BundleError where there is none.
        """
        ...


@runtime_checkable
class HasSmallRecipe(Protocol):
    """A scheme that can also be trained in an hour of two CPU cores, for less accuracy."""

    def small_recipe(self, dataset: Dataset) -> Recipe:
        """Like `Scheme.recipe`: smaller networks, fewer epochs."""
        ...
