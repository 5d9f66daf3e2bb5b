"""CIFAR-100: CIFAR-10's format with fine labels."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hil import data
from hil.data import cifar100


def test_the_fine_labels_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = {b"data": np.zeros((2, 3072), np.uint8), b"fine_labels": [99, 4], b"coarse_labels": [1, 2]}
    content = pickle.dumps(batch, protocol=4)
    folder = tmp_path / cifar100.SOURCE.folder
    folder.mkdir()
    (folder / "test").write_bytes(content)
    md5 = {"test": hashlib.md5(content, usedforsecurity=False).hexdigest()}
    monkeypatch.setattr(cifar100, "_BATCHES", replace(cifar100._BATCHES, md5=md5))
    assert data.get("cifar100").load("test", tmp_path).labels.tolist() == [99, 4]


def test_there_are_a_hundred_names_in_alphabetical_order() -> None:
    names = data.get("cifar100").label_names
    assert len(set(names)) == 100
    assert list(names) == sorted(names)


def test_the_publishers_files_are_read(data_dir: Path) -> None:
    dataset = data.get("cifar100")
    if not (data_dir / cifar100.SOURCE.folder).is_dir():
        pytest.skip("there is no CIFAR-100 in the data folder")
    test = dataset.load("test", data_dir)
    assert np.bincount(test.labels).tolist() == [100] * 100
    mean = dataset.load("train", data_dir).unit().mean(axis=(0, 1, 2), dtype=np.float64)
    assert np.allclose(mean, dataset.mean, atol=1e-3)
