"""Batches show the network what the device will show it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hil.data.dataset import Split
from hil.errors import TrainingError
from hil.training.batches import Batches, augment, input_format
from hil_tests.unit.training.toy import Toy, recipe

SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(2, 9), st.integers(2, 9))


def _toy(**changes: int) -> Batches:
    return Batches(Toy().load("train"), input_format(Toy()), recipe(**changes))


def test_images_in_order_are_prepared_as_for_the_device() -> None:
    batches = _toy(batch=20)
    seen = torch.cat([batches.upscaled(images) for images, _ in batches.in_order()])
    expected = input_format(Toy()).prepare(Toy().load("train").images)
    assert np.allclose(seen.numpy().transpose(0, 2, 3, 1), expected, atol=1e-6)


def test_in_order_gives_every_sample_once() -> None:
    labels = torch.cat([labels for _, labels in _toy(batch=20).in_order()])
    assert labels.tolist() == Toy().load("train").labels.tolist()


def test_an_epoch_is_whole_batches_of_different_samples() -> None:
    torch.manual_seed(0)
    batches = _toy(batch=20, crop_padding=0, flip=False)
    epoch = [images for images, _ in batches.shuffled()]
    assert len(batches) == len(epoch) == 2
    images = torch.cat(epoch)
    assert len({image.numpy().tobytes() for image in images}) == 40


@given(SHAPES, st.integers(0, 3), st.integers(0, 2**16))
def test_a_crop_is_the_image_shifted_over_black(
    shape: tuple[int, int, int, int], padding: int, seed: int
) -> None:
    torch.manual_seed(seed)
    images = torch.rand(shape)
    padded = torch.nn.functional.pad(images, (padding,) * 4)
    height, width = shape[2:]
    for image, canvas in zip(augment(images, padding, flip=False), padded, strict=True):
        shifts = range(2 * padding + 1)
        assert any(
            torch.equal(image, canvas[:, y : y + height, x : x + width]) for y in shifts for x in shifts
        )


@given(SHAPES, st.integers(0, 2**16))
def test_a_flip_mirrors_whole_images(shape: tuple[int, int, int, int], seed: int) -> None:
    torch.manual_seed(seed)
    images = torch.rand(shape)
    for image, original in zip(augment(images, 0, flip=True), images, strict=True):
        assert torch.equal(image, original) or torch.equal(image, original.flip(2))


def test_both_sides_of_the_coin_come_up() -> None:
    torch.manual_seed(0)
    images = torch.rand(64, 1, 2, 2)
    kept = (augment(images, 0, flip=True) == images).all(dim=3).all(dim=2).sum()
    assert 16 < int(kept) < 48


def test_a_limit_keeps_the_first_samples() -> None:
    assert _toy(limit=7).split.labels.tolist() == Toy().load("train").labels[:7].tolist()


def test_nothing_to_train_on_is_an_error() -> None:
    empty = Split(np.zeros((0, 6, 6, 3), np.float32), np.zeros(0, np.int64))
    with pytest.raises(TrainingError, match="0 samples"):
        Batches(empty, input_format(Toy()), recipe())
