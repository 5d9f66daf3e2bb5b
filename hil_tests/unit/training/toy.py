"""A data set and a recipe so small that a training takes a second."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hil.data.dataset import Split, SplitName
from hil.training.recipe import AgileRecipe


class Toy:
    """Three classes of noisy 6 × 6 colour images that differ in their brightest row."""

    name = "toy"
    label_names = ("top", "middle", "bottom")
    classes = 3
    shape = (6, 6, 3)
    upscale = 3
    mean = (0.4, 0.5, 0.6)
    std = (0.2, 0.3, 0.4)

    def load(self, split: SplitName, data_dir: Path | None = None) -> Split:
        """48 samples for training, 24 for testing."""
        generator = np.random.default_rng(0 if split == "train" else 1)
        count = 48 if split == "train" else 24
        labels = np.arange(count) % 3
        images = generator.uniform(0, 0.5, (count, *self.shape))
        images[np.arange(count), 2 * labels] += 0.5
        return Split(images.astype(np.float32), labels.astype(np.int64))


RECIPE = AgileRecipe(
    epochs=2,
    batch=16,
    optimiser="adam",
    learning_rate=0.01,
    crop_padding=0,
    threads=1,
    reference_epochs=2,
    warmup_epochs=1,
    channels=12,
    split_ratio=0.25,
    centroids=4,
    server_stem=8,
    server_stages=((1, 8, 1, 1), (2, 12, 1, 2)),
    server_head=16,
    reference_stages=(("fused", 1, 12, 1, 1), ("fused", 2, 12, 1, 2), ("mbconv", 2, 12, 2, 1)),
    reference_head=16,
)


def recipe(**changes: Any) -> AgileRecipe:
    """`RECIPE` with `changes`."""
    return replace(RECIPE, **changes)
