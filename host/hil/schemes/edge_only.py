"""Edge-only inference: nothing is computed on the device, every pixel goes over the link."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hil.bundle import Bundle, InputFormat, Manifest
from hil.data.dataset import Dataset
from hil.errors import BundleError, UsageError
from hil.schemes.stored_recipe import stored_recipe
from hil.training.classifier_recipes import EdgeOnlyRecipe
from hil.training.progress import Report
from hil.training.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn

# LZW makes photographs of 32 × 32 larger: 3,422 bytes for CIFAR-10's 3,072 (first 500 of the test split).
_PHOTOGRAPHS = EdgeOnlyRecipe(codec="none")
_READ_ONE_WAY = EdgeOnlyRecipe(codec="none", flip=False)
_DIGITS = EdgeOnlyRecipe(
    epochs=20,
    batch=64,
    learning_rate=0.15,
    crop_padding=1,
    flip=False,
    # On maps of 8 × 8 a second thread costs more than it brings.
    threads=1,
    server_stages=((1, 16, 1, 1), (4, 24, 2, 2), (4, 32, 1, 2)),
    server_head=96,
)
_WORDS = EdgeOnlyRecipe(
    epochs=40,
    codec="none",
    # A shift in time is no harm, but one in coefficients is; a crop does both.
    crop_padding=0,
    flip=False,
    server_stages=((1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 3, 2)),
    server_head=256,
)
_SMALL_SERVER: dict[str, Any] = {
    "device": "auto",
    "epochs": 12,
    "server_stages": ((1, 16, 1, 2), (4, 24, 2, 2), (4, 48, 2, 2)),
    "server_head": 160,
}
"""The server half of AgileNN's small recipe."""
_RECIPES = {"digits": _DIGITS, "words": _WORDS, "speech-commands": _WORDS, "svhn": _READ_ONE_WAY}


class EdgeOnly:
    """See the module."""

    name = "edge_only"
    summary = "the input goes to the server, losslessly compressed; the device computes nothing"

    def recipe(self, dataset: Dataset) -> EdgeOnlyRecipe:
        """AgileNN's remote predictor by its authors' settings, smaller for digits and words."""
        return _RECIPES.get(dataset.name, _PHOTOGRAPHS)

    def small_recipe(self, dataset: Dataset) -> EdgeOnlyRecipe:
        """See `HasSmallRecipe`; those of digits and words are small already."""
        full = self.recipe(dataset)
        return full if full in (_DIGITS, _WORDS) else replace(full, **_SMALL_SERVER)

    def train(
        self, dataset: Dataset, recipe: Recipe, seed: int, data_dir: Path | None, progress: Report
    ) -> Bundle:
        """See `Scheme.train`."""
        from hil.training.edge_only import train

        if not isinstance(recipe, EdgeOnlyRecipe):
            raise UsageError(
                f"edge_only cannot be trained by a {type(recipe).__name__}", "take EdgeOnly.recipe"
            )
        return train(dataset, recipe, seed, data_dir, progress)

    def build_device(self, manifest: Manifest) -> nn.Module:
        """See `Scheme.build_device`."""
        from hil.schemes.edge_only_network import Untouched

        return Untouched().eval()

    def build_server(self, manifest: Manifest) -> nn.Module:
        """See `Scheme.build_server`."""
        from hil.training.edge_only import whole

        recipe = stored_recipe(manifest, EdgeOnlyRecipe)
        return whole(recipe, _network_input(manifest), manifest.classes).eval()


def _network_input(manifest: Manifest) -> InputFormat:
    """What the server makes of the pixels before the first convolution."""
    try:
        return InputFormat(**manifest.config["network_input"])
    except (KeyError, TypeError) as error:
        raise BundleError(f"the bundle's network input is foreign: {error}", "train it again") from None
