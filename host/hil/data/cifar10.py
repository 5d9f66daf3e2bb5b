"""CIFAR-10: 50,000 + 10,000 colour images of 32 × 32 (A. Krizhevsky, 2009), in its publisher's format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hil.data import arrays_only, folders
from hil.data.dataset import Split, SplitName
from hil.errors import DataError

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
FOLDER = "cifar-10-batches-py"
_MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
_FILES: dict[SplitName, tuple[str, ...]] = {
    "train": tuple(f"data_batch_{number}" for number in range(1, 6)),
    "test": ("test_batch",),
}


def _parse(batch: Any, origin: Path) -> Split:
    """One publisher's batch: rows of 3 planes of 32 × 32 bytes."""
    try:
        planes = np.asarray(batch[b"data"])
        labels = np.asarray(batch[b"labels"], dtype=np.int64)
        images = planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{origin} is no CIFAR-10 batch: {error}", f"unpack {URL} again") from None
    return Split(images.astype(np.float32) / np.float32(255), labels)


class Cifar10:
    """See the module. Mean and std as in AgileNN's training (facts: R)."""

    name = "cifar10"
    label_names = (
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    )  # fmt: skip
    classes = 10
    shape = (32, 32, 3)
    upscale = 3
    mean = (0.4914, 0.4822, 0.4465)
    std = (0.2023, 0.1994, 0.2010)

    def load(self, split: SplitName, data_dir: Path | None = None) -> Split:
        """The publisher's split, in its order. Raises DataError on a missing or damaged file."""
        folder = folders.find(FOLDER, data_dir, URL)
        parts = []
        for name in _FILES[split]:
            content = folders.read_verified(folder / name, _MD5[name])
            parts.append(_parse(arrays_only.loads(content, str(folder / name)), folder / name))
        return Split(
            np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts])
        )
