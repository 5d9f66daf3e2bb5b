"""SVHN: house numbers cut to 32 × 32, ten digits (Netzer et al., 2011), in its publisher's MATLAB files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hil.data import folders
from hil.data.dataset import Split, SplitName
from hil.data.source import Download, Source
from hil.errors import DataError

_PLACE = "http://ufldl.stanford.edu/housenumbers"
SOURCE = Source(
    "svhn",
    (
        Download(f"{_PLACE}/train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373", "plain"),
        Download(f"{_PLACE}/test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3", "plain"),
    ),
    megabytes=246,
)


class Svhn:
    """See the module. Inputs become 2x − 1, as in AgileNN's training (facts: R)."""

    name = "svhn"
    label_names = tuple("0123456789")
    classes = 10
    shape = (32, 32, 3)
    upscale = 3
    mean = (0.5, 0.5, 0.5)
    std = (0.5, 0.5, 0.5)
    source = SOURCE

    def load(self, split: SplitName, data_dir: Path | None = None) -> Split:
        """The publisher's split, in its order. Raises DataError on a missing or damaged file.

        Parts of the set are taken too: a file is judged by its structure, not by its sum.
        """
        path = folders.find(SOURCE, data_dir) / f"{split}_32x32.mat"
        return _parse(_read(path), path)


def _read(path: Path) -> dict[str, Any]:
    from scipy.io import loadmat  # takes a fifth of a second

    if not path.is_file():
        raise DataError(f"{path} is missing", "`hil data fetch svhn`, or copy it there")
    try:
        content: dict[str, Any] = loadmat(path)
    # A damaged MATLAB file raises nearly anything.
    except Exception as error:
        raise DataError(f"{path} is damaged: {error}", "`hil data fetch svhn`") from None
    return content


def _parse(content: dict[str, Any], origin: Path) -> Split:
    """X is (32, 32, 3, N), y is (N, 1) with 10 for the digit 0."""
    images, labels = content.get("X"), content.get("y")
    if images is None or labels is None or images.dtype != np.uint8 or images.shape[:3] != (32, 32, 3):
        raise DataError(f"{origin} holds no SVHN images", "`hil data fetch svhn`")
    digits = labels.reshape(-1).astype(np.int64)
    if digits.shape != images.shape[3:] or not np.isin(digits, range(1, 11)).all():
        raise DataError(f"the labels in {origin} do not belong to its images", "`hil data fetch svhn`")
    return Split(np.ascontiguousarray(images.transpose(3, 0, 1, 2)), digits % 10)
