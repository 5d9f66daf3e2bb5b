"""CIFAR-10 in its publisher's format."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hil import data
from hil.data import cifar10
from hil.errors import DataError


def _publish(folder: Path, monkeypatch: pytest.MonkeyPatch, content: object) -> Path:
    """A small stand-in for the publisher's archive, whose sums are accepted."""
    batches = folder / cifar10.SOURCE.folder
    batches.mkdir()
    sums = {}
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        written = pickle.dumps(content, protocol=4)
        (batches / name).write_bytes(written)
        sums[name] = hashlib.md5(written, usedforsecurity=False).hexdigest()
    monkeypatch.setattr(cifar10, "_BATCHES", replace(cifar10._BATCHES, md5=sums))
    return batches


def _batch() -> dict[bytes, object]:
    rows = np.zeros((2, 3072), np.uint8)
    rows[0, :1024] = 255  # a red image
    rows[1, 2048 + 33] = 51  # one bluish pixel in the second row, second column
    return {b"data": rows, b"labels": [3, 7]}


def test_planes_become_pixels_in_the_unit_interval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _publish(tmp_path, monkeypatch, _batch())
    test = data.get("cifar10").load("test", tmp_path)
    assert test.images.shape == (2, 32, 32, 3)
    images = test.unit()
    assert images.dtype == np.float32
    assert images[0].reshape(-1, 3).tolist() == [[1, 0, 0]] * 1024
    assert images[1, 1, 1, 2] == np.float32(0.2)
    assert test.labels.tolist() == [3, 7]


def test_the_training_split_is_five_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _publish(tmp_path, monkeypatch, _batch())
    assert len(data.get("cifar10").load("train", tmp_path)) == 10


def test_the_folder_may_be_named_itself_or_by_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = _publish(tmp_path, monkeypatch, _batch())
    assert len(data.get("cifar10").load("test", batches)) == 2
    monkeypatch.setenv("HIL_DATA", str(tmp_path))
    assert len(data.get("cifar10").load("test")) == 2


def test_a_missing_folder_says_where_to_get_it_and_how_to_name_it(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        data.get("cifar10").load("train", tmp_path)
    assert cifar10.SOURCE.downloads[0].url in caught.value.hint
    assert "--data-dir" in caught.value.hint
    assert str(tmp_path) in caught.value.message


def test_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = _publish(tmp_path, monkeypatch, _batch())
    (batches / "data_batch_3").unlink()
    with pytest.raises(DataError, match="data_batch_3 cannot be read"):
        data.get("cifar10").load("train", tmp_path)


def test_a_damaged_file_is_refused_by_name_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = _publish(tmp_path, monkeypatch, _batch())
    damaged = bytearray((batches / "test_batch").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (batches / "test_batch").write_bytes(damaged)
    with pytest.raises(DataError, match="test_batch is damaged: its MD5 is"):
        data.get("cifar10").load("test", tmp_path)


@pytest.mark.parametrize("content", [{}, [], {b"data": np.zeros((2, 5), np.uint8), b"labels": [1, 2]}])
def test_a_file_with_other_content_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: object
) -> None:
    _publish(tmp_path, monkeypatch, content)
    with pytest.raises(DataError, match=r"is no batch of cifar-10-batches-py"):
        data.get("cifar10").load("test", tmp_path)


def test_the_publishers_files_are_read(data_dir: Path) -> None:
    test = data.get("cifar10").load("test", data_dir)
    assert test.images.shape == (10_000, 32, 32, 3)
    assert np.bincount(test.labels).tolist() == [1000] * 10
    assert test.labels[:4].tolist() == [3, 8, 8, 0]  # cat, ship, ship, airplane


def test_published_mean_and_std_are_those_of_the_training_split(data_dir: Path) -> None:
    dataset = data.get("cifar10")
    images = dataset.load("train", data_dir).unit()
    assert np.allclose(images.mean(axis=(0, 1, 2), dtype=np.float64), dataset.mean, atol=1e-3)
    # The customary figures are the mean of every image's own deviation, not the deviation of all pixels.
    assert np.allclose(images.std(axis=(1, 2)).mean(axis=0), dataset.std, atol=2e-3)
