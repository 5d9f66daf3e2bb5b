"""MCUNet (Lin et al., NeurIPS 2020): a network that fits 320 KB of RAM and 1 MB of flash, and no server.

The architecture is one that TinyNAS published; the search itself is not repeated here.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hil.bundle import Bundle, Manifest
from hil.data.dataset import Dataset
from hil.errors import BundleError, UsageError
from hil.schemes.stored_recipe import stored_recipe
from hil.training.classifier_recipes import McuNetRecipe
from hil.training.progress import Report
from hil.training.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn

_PUBLISHED = McuNetRecipe()
_READ_ONE_WAY = McuNetRecipe(flip=False)
_DIGITS = McuNetRecipe(
    epochs=25,
    batch=64,
    optimiser="adam",
    learning_rate=6e-3,
    crop_padding=1,
    flip=False,
    # On maps of 12 × 12 a second thread costs more than it brings.
    threads=1,
    stem=8,
    blocks=((1, 8, 3, 1), (3, 16, 5, 2), (3, 16, 3, 1), (3, 24, 7, 2), (3, 24, 3, 1)),
)
_WORDS = McuNetRecipe(
    epochs=40,
    # A shift in time is no harm, but one in coefficients is; a crop does both.
    crop_padding=0,
    flip=False,
    stem=16,
    blocks=((1, 16, 3, 1), (4, 24, 5, 2), (4, 24, 5, 1), (4, 40, 7, 2), (4, 40, 3, 1), (4, 64, 3, 1)),
)
_RECIPES = {"digits": _DIGITS, "words": _WORDS, "speech-commands": _WORDS, "svhn": _READ_ONE_WAY}


class McuNet:
    """See the module."""

    name = "mcunet"
    summary = "a network sized for the microcontroller, all of it on the device: no link, no server"

    def recipe(self, dataset: Dataset) -> McuNetRecipe:
        """The published network, or a small one of its family for digits and words."""
        return _RECIPES.get(dataset.name, _PUBLISHED)

    def small_recipe(self, dataset: Dataset) -> McuNetRecipe:
        """See `HasSmallRecipe`: the published network for fewer epochs; digits' and words' are small."""
        full = self.recipe(dataset)
        return full if full in (_DIGITS, _WORDS) else replace(full, epochs=6, device="auto")

    def train(
        self, dataset: Dataset, recipe: Recipe, seed: int, data_dir: Path | None, progress: Report
    ) -> Bundle:
        """See `Scheme.train`."""
        from hil.training.mcunet import train

        if not isinstance(recipe, McuNetRecipe):
            raise UsageError(f"mcunet cannot be trained by a {type(recipe).__name__}", "take McuNet.recipe")
        return train(dataset, recipe, seed, data_dir, progress)

    def build_device(self, manifest: Manifest) -> nn.Module:
        """See `Scheme.build_device`."""
        from hil.training.mcunet import network_of

        recipe = stored_recipe(manifest, McuNetRecipe)
        return network_of(recipe, manifest.input.channels, manifest.classes).eval()

    def build_server(self, manifest: Manifest) -> nn.Module:
        """There is none. Raises BundleError."""
        raise BundleError(f"{self.name} answers on the device alone", "it needs no server")
