"""Recipes of whole networks so small that a training on `toy.Toy` takes a second."""

from __future__ import annotations

from hil.training.classifier_recipes import EdgeOnlyRecipe, McuNetRecipe
from hil.training.spinn_recipe import SpinnRecipe

EDGE_ONLY = EdgeOnlyRecipe(
    epochs=12,
    batch=16,
    optimiser="adam",
    learning_rate=0.02,
    crop_padding=0,
    threads=1,
    stem=12,
    server_stem=8,
    server_stages=((1, 8, 1, 1), (2, 12, 1, 2)),
    server_head=16,
    flip=False,
)
MCUNET = McuNetRecipe(
    epochs=12,
    batch=16,
    optimiser="adam",
    learning_rate=0.02,
    crop_padding=0,
    threads=1,
    stem=8,
    blocks=((1, 8, 3, 1), (2, 12, 5, 2), (2, 12, 3, 1), (2, 16, 7, 2)),
    flip=False,
)
SPINN = SpinnRecipe(
    epochs=30,
    batch=16,
    optimiser="adam",
    learning_rate=0.02,
    crop_padding=0,
    threads=1,
    stem=12,
    stages=((1, 12, 1, 1), (2, 16, 1, 2), (2, 16, 1, 1)),
    exit_width=8,
    head=16,
    validation=0.25,
    flip=False,
)
