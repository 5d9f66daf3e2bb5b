"""DeepCOD (Yao et al., SenSys 2020): the device measures compressively, the server reconstructs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hil.bundle import Bundle, Manifest
from hil.data.dataset import Dataset
from hil.errors import UsageError
from hil.schemes.stored_recipe import stored_recipe
from hil.training.deepcod_recipe import DeepCodRecipe
from hil.training.progress import Report
from hil.training.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn

_PHOTOGRAPHS = DeepCodRecipe()
_DIGITS = DeepCodRecipe(
    epochs=20,
    teacher_epochs=12,
    batch=64,
    learning_rate=0.15,
    crop_padding=1,
    flip=False,
    # On maps of 8 × 8 a second thread costs more than it brings.
    threads=1,
    # Half of the bytes that none leaves, for no accuracy.
    rate=0.1,
    encoder=((3, 8, 1, 3), (3, 6, 1, 2)),
    decoder_width=24,
    server_stages=((1, 16, 1, 1), (4, 24, 2, 2), (4, 32, 1, 2)),
    server_head=96,
)
_WORDS = DeepCodRecipe(
    epochs=40,
    teacher_epochs=40,
    # A shift in time is no harm, but one in coefficients is; a crop does both.
    crop_padding=0,
    flip=False,
    # 49 × 10 coefficients leave no room for a second stride.
    encoder=((3, 24, 1, 3), (3, 8, 1, 1)),
    decoder_width=32,
    server_stages=((1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 3, 2)),
    server_head=256,
)
_SMALL = DeepCodRecipe(
    epochs=6,
    teacher_epochs=5,
    device="auto",
    channels_last=True,
    decoder_width=16,
    # AgileNN's small recipe has the same.
    server_stages=((1, 16, 1, 2), (4, 24, 2, 2), (4, 48, 2, 2)),
    server_head=160,
)
_SMALL_WORDS = replace(
    _WORDS,
    epochs=15,
    teacher_epochs=10,
    device="auto",
    server_stages=((1, 16, 1, 1), (4, 24, 2, 2), (4, 48, 2, 2)),
    server_head=160,
)
_RECIPES = {
    "digits": _DIGITS,
    "words": _WORDS,
    "speech-commands": _WORDS,
    "svhn": replace(_PHOTOGRAPHS, flip=False),
}
_SMALL_RECIPES = {
    "digits": _DIGITS,
    "words": _SMALL_WORDS,
    "speech-commands": _SMALL_WORDS,
    "svhn": replace(_SMALL, flip=False),
}


class DeepCod:
    """See the module."""

    name = "deepcod"
    summary = "compressive measurements by a light encoder; a decoder on the server gives the map back"

    def recipe(self, dataset: Dataset) -> DeepCodRecipe:
        """Edge-only's network behind encoder and decoder, smaller for digits and words."""
        return _RECIPES.get(dataset.name, _PHOTOGRAPHS)

    def small_recipe(self, dataset: Dataset) -> DeepCodRecipe:
        """See `HasSmallRecipe`; the digits' own is small already."""
        return _SMALL_RECIPES.get(dataset.name, _SMALL)

    def train(
        self, dataset: Dataset, recipe: Recipe, seed: int, data_dir: Path | None, progress: Report
    ) -> Bundle:
        """See `Scheme.train`."""
        from hil.training.deepcod import train

        if not isinstance(recipe, DeepCodRecipe):
            raise UsageError(f"deepcod cannot be trained by a {type(recipe).__name__}", "take DeepCod.recipe")
        return train(dataset, recipe, seed, data_dir, progress)

    def build_device(self, manifest: Manifest) -> nn.Module:
        """See `Scheme.build_device`."""
        from hil.training.deepcod import encoder_of

        return encoder_of(stored_recipe(manifest, DeepCodRecipe), manifest.input.channels).eval()

    def build_server(self, manifest: Manifest) -> nn.Module:
        """See `Scheme.build_server`."""
        from hil.training.deepcod import server_of

        return server_of(stored_recipe(manifest, DeepCodRecipe), manifest.input, manifest.classes).eval()
