"""A DeepCOD recipe so small that a training on `toy.Toy` takes a second."""

from __future__ import annotations

from hil.training.deepcod_recipe import DeepCodRecipe

DEEPCOD = DeepCodRecipe(
    epochs=8,
    teacher_epochs=8,
    batch=8,
    optimiser="adam",
    learning_rate=0.02,
    crop_padding=0,
    flip=False,
    threads=1,
    encoder=((3, 8, 1, 3), (3, 4, 1, 2)),
    decoder_width=8,
    stem=12,
    server_stem=8,
    server_stages=((1, 8, 1, 1), (2, 12, 1, 2)),
    server_head=16,
)
