"""SPINN (Laskaridis et al., MobiCom 2020): early exits along one network, cut where a scheduler says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hil.bundle import Bundle, Manifest
from hil.data.dataset import Dataset
from hil.errors import BundleError, UsageError
from hil.schemes.stored_recipe import stored_recipe
from hil.training.progress import Report
from hil.training.recipe import Recipe
from hil.training.spinn_recipe import SpinnRecipe

if TYPE_CHECKING:
    from torch import nn

_PHOTOGRAPHS = SpinnRecipe()
_READ_ONE_WAY = SpinnRecipe(flip=False)
_DIGITS = SpinnRecipe(
    epochs=20,
    batch=64,
    learning_rate=0.15,
    crop_padding=1,
    flip=False,
    # On maps of 8 × 8 a second thread costs more than it brings.
    threads=1,
    stem=16,
    stages=((1, 16, 1, 1), (4, 24, 2, 2), (4, 32, 1, 2)),
    exit_width=32,
    head=96,
)
_WORDS = SpinnRecipe(
    epochs=40,
    # A shift in time is no harm, but one in coefficients is; a crop does both.
    crop_padding=0,
    flip=False,
    stages=((1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 3, 2)),
    head=256,
)
_SMALL: dict[str, Any] = {
    "device": "auto",
    "epochs": 12,
    "stem": 16,
    "stages": ((1, 16, 1, 2), (4, 24, 2, 2), (4, 40, 3, 1), (4, 80, 2, 2)),
    "exit_width": 48,
    "head": 160,
}
_RECIPES = {"digits": _DIGITS, "words": _WORDS, "speech-commands": _WORDS, "svhn": _READ_ONE_WAY}


class Spinn:
    """See the module."""

    name = "spinn"
    summary = "early exits along one network: a sure device sends nothing, else 8-bit features at the split"

    def recipe(self, dataset: Dataset) -> SpinnRecipe:
        """MobileNetV2 with an exit behind each stage, smaller for digits and words."""
        return _RECIPES.get(dataset.name, _PHOTOGRAPHS)

    def small_recipe(self, dataset: Dataset) -> SpinnRecipe:
        """See `HasSmallRecipe`; those of digits and words are small already."""
        full = self.recipe(dataset)
        return full if full in (_DIGITS, _WORDS) else replace(full, **_SMALL)

    def train(
        self, dataset: Dataset, recipe: Recipe, seed: int, data_dir: Path | None, progress: Report
    ) -> Bundle:
        """See `Scheme.train`."""
        from hil.training.spinn import train

        if not isinstance(recipe, SpinnRecipe):
            raise UsageError(f"spinn cannot be trained by a {type(recipe).__name__}", "take Spinn.recipe")
        return train(dataset, recipe, seed, data_dir, progress)

    def build_device(self, manifest: Manifest) -> nn.Module:
        """See `Scheme.build_device`."""
        from hil.training.spinn import network_of

        recipe = stored_recipe(manifest, SpinnRecipe)
        network = network_of(recipe, manifest.input.channels, manifest.classes)
        return network.device(_split(manifest, recipe)).eval()

    def build_server(self, manifest: Manifest) -> nn.Module:
        """See `Scheme.build_server`."""
        from hil.training.spinn import network_of

        recipe = stored_recipe(manifest, SpinnRecipe)
        network = network_of(recipe, manifest.input.channels, manifest.classes)
        return network.server(_split(manifest, recipe), manifest.exit_confidence).eval()


def _split(manifest: Manifest, recipe: SpinnRecipe) -> int:
    """Behind which stage the scheduler cut. Raises BundleError when the manifest does not say."""
    schedule = manifest.config.get("schedule")
    split = schedule.get("split") if isinstance(schedule, dict) else None
    if type(split) is not int or not 0 < split < len(recipe.stages):
        raise BundleError(f"the bundle's split is {split!r}", "train it again")
    return split
