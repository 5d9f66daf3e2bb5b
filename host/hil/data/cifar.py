"""What CIFAR-10 and CIFAR-100 (A. Krizhevsky, 2009) have in common: pickled batches of planes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.data import arrays_only, folders
from hil.data.dataset import Split, SplitName
from hil.data.source import Source
from hil.errors import DataError


@dataclass(frozen=True)
class Batches:
    """The publisher's files of one data set, and under which key they hold the labels."""

    source: Source
    files: Mapping[SplitName, tuple[str, ...]]
    md5: Mapping[str, str]
    label_key: bytes

    def load(self, split: SplitName, data_dir: Path | None) -> Split:
        """The publisher's split, in its order. Raises DataError on a missing or damaged file."""
        folder = folders.find(self.source, data_dir)
        parts = [self._read(folder / name) for name in self.files[split]]
        images = np.concatenate([images for images, _ in parts])
        return Split(images, np.concatenate([labels for _, labels in parts]))

    def _read(self, path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        content = arrays_only.loads(folders.read_verified(path, self.md5[path.name]), str(path))
        return self._parse(content, path)

    def _parse(self, batch: Any, origin: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Rows of 3 planes of 32 × 32 bytes."""
        try:
            planes = np.asarray(batch[b"data"], dtype=np.uint8)
            labels = np.asarray(batch[self.label_key], dtype=np.int64)
            images = planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        except (KeyError, TypeError, ValueError) as error:
            message = f"{origin} is no batch of {self.source.folder}: {error}"
            raise DataError(message, self.source.hint) from None
        return np.ascontiguousarray(images), labels
