"""What every data set is to the rest of hil: a few facts and two splits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from hil.errors import DataError

SplitName = Literal["train", "test"]


@dataclass(frozen=True)
class Split:
    """Samples and their classes. Raises DataError when the two do not belong together."""

    images: NDArray[np.float32]
    """(N, height, width, channels), in [0, 1]."""
    labels: NDArray[np.int64]
    """(N,)"""

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.labels.shape != self.images.shape[:1]:
            raise DataError(
                f"images of shape {self.images.shape} with labels of shape {self.labels.shape}",
                "a split holds (N, height, width, channels) images and (N,) labels",
            )

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, count: int) -> Split:
        """The first `count` samples, or all when there are fewer."""
        return Split(self.images[:count], self.labels[:count])


class Dataset(Protocol):
    """A classified set of images. Implementations import neither torch nor scikit-learn."""

    @property
    def name(self) -> str: ...

    @property
    def label_names(self) -> tuple[str, ...]:
        """One per class, by label."""
        ...

    @property
    def classes(self) -> int: ...

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of a stored image."""
        ...

    @property
    def upscale(self) -> int:
        """The network sees every pixel as `upscale` × `upscale` pixels."""
        ...

    @property
    def mean(self) -> tuple[float, ...]:
        """Per channel, of images in [0, 1]."""
        ...

    @property
    def std(self) -> tuple[float, ...]:
        """Per channel, of images in [0, 1]."""
        ...

    def load(self, split: SplitName, data_dir: Path | None = None) -> Split:
        """The whole split, always in the same order.

        `data_dir` overrides the folders that `hil.data.folders` would look in. Raises DataError,
        naming the file, when something is missing or damaged.
        """
        ...
