"""Tiny ImageNet-200 (Stanford CS231n): 64 × 64 pictures of 200 kinds; the papers' "ImageNet-200"."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hil.data import folders
from hil.data.dataset import Split, SplitName
from hil.data.source import Download, Source
from hil.errors import DataError

SOURCE = Source(
    "tiny-imagenet-200",
    (
        Download(
            "http://cs231n.stanford.edu/tiny-imagenet-200.zip", "90528d7ca1a48142e341f4ef8d21d0de", "zip"
        ),
    ),
    megabytes=248,
)
CLASSES = 200
SIDE = 64
_HINT = "`hil data fetch tiny-imagenet-200`, or unpack the archive again"


class TinyImageNet:
    """See the module. Inputs become 2x − 1, as in AgileNN's training (facts: R).

    The publisher's validation images are the test split: the test images have no labels. A class may
    have fewer training images than the publisher's 500.
    """

    name = "tiny-imagenet-200"
    label_names = tuple(f"class {number}" for number in range(CLASSES))
    """By position in wnids.txt; the folder's words.txt has the words."""
    classes = CLASSES
    shape = (SIDE, SIDE, 3)
    upscale = 2
    mean = (0.5, 0.5, 0.5)
    std = (0.5, 0.5, 0.5)
    source = SOURCE

    def load(self, split: SplitName, data_dir: Path | None = None) -> Split:
        """Training images class by class, or validation images by number. Raises DataError."""
        folder = folders.find(SOURCE, data_dir)
        labels = {name: label for label, name in enumerate(_lines(folder / "wnids.txt"))}
        if len(labels) != CLASSES:
            raise DataError(f"{folder / 'wnids.txt'} names {len(labels)} classes, not {CLASSES}", _HINT)
        listed = _training(folder, labels) if split == "train" else _validation(folder, labels)
        with ThreadPoolExecutor() as pool:  # JPEG decoding runs outside the interpreter's lock
            images = list(pool.map(_image, (path for path, _ in listed)))
        return Split(np.stack(images), np.array([label for _, label in listed], dtype=np.int64))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").split("\n")[:-1]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}", _HINT) from None


def _training(folder: Path, labels: dict[str, int]) -> list[tuple[Path, int]]:
    listed: list[tuple[Path, int]] = []
    for name, label in labels.items():
        found = sorted((folder / "train" / name / "images").glob("*.JPEG"), key=_number)
        if not found:
            raise DataError(f"{folder / 'train' / name} has no images", _HINT)
        listed += [(path, label) for path in found]
    return listed


def _validation(folder: Path, labels: dict[str, int]) -> list[tuple[Path, int]]:
    table = folder / "val" / "val_annotations.txt"
    try:
        rows = [line.split("\t") for line in _lines(table)]
        listed = [(folder / "val" / "images" / row[0], labels[row[1]]) for row in rows]
    except (KeyError, IndexError) as error:
        raise DataError(f"{table} names a class or image that is not there: {error}", _HINT) from None
    return sorted(listed, key=lambda item: _number(item[0]))


def _number(path: Path) -> int:
    """`n01443537_7.JPEG` and `val_7.JPEG` → 7."""
    digits = path.stem.rpartition("_")[2]
    return int(digits) if digits.isdigit() else 0


def _image(path: Path) -> NDArray[np.uint8]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as file:
            pixels = np.asarray(file.convert("RGB"))  # some are grey
    except (OSError, UnidentifiedImageError) as error:
        raise DataError(f"{path} is damaged: {error}", _HINT) from None
    if pixels.shape != (SIDE, SIDE, 3):
        raise DataError(f"{path} has shape {pixels.shape}, not ({SIDE}, {SIDE}, 3)", _HINT)
    return pixels
