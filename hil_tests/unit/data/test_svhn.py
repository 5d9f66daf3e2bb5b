"""SVHN in its publisher's MATLAB files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from hil import data
from hil.errors import DataError


def _publish(folder: Path, **content: Any) -> None:
    (folder / "svhn").mkdir()
    savemat(folder / "svhn" / "train_32x32.mat", content)


def _images(count: int) -> np.ndarray[Any, Any]:
    return np.arange(count, dtype=np.uint8) * np.ones((32, 32, 3, count), np.uint8)


def test_the_digit_zero_is_stored_as_ten(tmp_path: Path) -> None:
    _publish(tmp_path, X=_images(3), y=np.array([[1], [10], [9]], np.uint8))
    train = data.get("svhn").load("train", tmp_path)
    assert train.labels.tolist() == [1, 0, 9]
    assert train.images.shape == (3, 32, 32, 3)
    assert train.images[2].min() == train.images[2].max() == 2


def test_a_missing_split_is_named(tmp_path: Path) -> None:
    _publish(tmp_path, X=_images(1), y=np.array([[1]], np.uint8))
    with pytest.raises(DataError, match=r"test_32x32\.mat is missing"):
        data.get("svhn").load("test", tmp_path)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    _publish(tmp_path, X=_images(1), y=np.array([[1]], np.uint8))
    path = tmp_path / "svhn" / "train_32x32.mat"
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(DataError, match="is damaged"):
        data.get("svhn").load("train", tmp_path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"X": np.zeros((32, 32, 3, 2), np.uint8)}, "holds no SVHN images"),
        ({"X": np.zeros((2, 2)), "y": np.ones((2, 1))}, "holds no SVHN images"),
        ({"X": np.zeros((32, 32, 3, 2), np.uint8), "y": np.ones((3, 1))}, "do not belong to its images"),
        ({"X": np.zeros((32, 32, 3, 1), np.uint8), "y": np.zeros((1, 1))}, "do not belong to its images"),
    ],
)
def test_other_content_is_refused(tmp_path: Path, content: dict[str, Any], problem: str) -> None:
    _publish(tmp_path, **content)
    with pytest.raises(DataError, match=problem):
        data.get("svhn").load("train", tmp_path)
