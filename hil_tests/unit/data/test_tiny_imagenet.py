"""Tiny ImageNet-200 in its publisher's folders."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from hil import data
from hil.data import tiny_imagenet
from hil.errors import DataError

_WORDS = [f"n{number:08d}" for number in range(900, 700, -1)]
"""Not in alphabetical order: labels are positions in wnids.txt."""


def _picture(path: Path, colour: tuple[int, int, int] | int, side: int = 64) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = "L" if isinstance(colour, int) else "RGB"
    Image.new(mode, (side, side), colour).save(path, "JPEG", quality=100)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """200 classes of one training image, the first with two; two validation images."""
    folder = tmp_path / tiny_imagenet.SOURCE.folder
    for word in _WORDS:
        _picture(folder / "train" / word / "images" / f"{word}_0.JPEG", (200, 0, 0))
    _picture(folder / "train" / _WORDS[0] / "images" / f"{_WORDS[0]}_10.JPEG", 128)
    _picture(folder / "val" / "images" / "val_10.JPEG", (0, 0, 250))
    _picture(folder / "val" / "images" / "val_9.JPEG", (0, 0, 100))
    (folder / "wnids.txt").write_text("".join(f"{word}\n" for word in _WORDS))
    rows = [f"val_10.JPEG\t{_WORDS[3]}\t0\t0\t62\t62\n", f"val_9.JPEG\t{_WORDS[7]}\t0\t0\t62\t62\n"]
    (folder / "val" / "val_annotations.txt").write_text("".join(rows))
    return folder


def test_labels_are_positions_in_the_publishers_list(published: Path) -> None:
    train = data.get("tiny-imagenet-200").load("train", published.parent)
    assert train.images.shape == (201, 64, 64, 3)
    assert train.labels.tolist() == [0, 0, *range(1, 200)]


def test_grey_pictures_get_three_channels(published: Path) -> None:
    train = data.get("tiny-imagenet-200").load("train", published.parent)
    assert train.images[1, 5, 5].tolist() == [128] * 3


def test_validation_images_come_in_the_order_of_their_numbers(published: Path) -> None:
    test = data.get("tiny-imagenet-200").load("test", published)
    assert test.labels.tolist() == [7, 3]


def test_a_damaged_picture_is_named(published: Path) -> None:
    (published / "val" / "images" / "val_9.JPEG").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"val_9\.JPEG is damaged"):
        data.get("tiny-imagenet-200").load("test", published)


def test_a_picture_of_another_size_is_refused(published: Path) -> None:
    _picture(published / "val" / "images" / "val_9.JPEG", 1, side=32)
    with pytest.raises(DataError, match=r"val_9\.JPEG has shape \(32, 32, 3\)"):
        data.get("tiny-imagenet-200").load("test", published)


def test_a_class_without_images_is_named(published: Path) -> None:
    (published / "train" / _WORDS[5] / "images" / f"{_WORDS[5]}_0.JPEG").unlink()
    with pytest.raises(DataError, match=f"{_WORDS[5]} has no images"):
        data.get("tiny-imagenet-200").load("train", published)


def test_a_short_list_of_classes_is_refused(published: Path) -> None:
    (published / "wnids.txt").write_text("n1\n")
    with pytest.raises(DataError, match="names 1 classes"):
        data.get("tiny-imagenet-200").load("train", published)
