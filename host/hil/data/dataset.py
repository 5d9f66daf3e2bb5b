"""What every data set is to the rest of hil: a few facts and two splits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from hil.data.source import Source
from hil.errors import DataError

SplitName = Literal["train", "test"]


@dataclass(frozen=True)
class Split:
    """Samples and their classes. Raises DataError when the two do not belong together."""

    images: NDArray[np.float32] | NDArray[np.uint8]
    """(N, height, width, channels): float32 in [0, 1], or bytes that stand for 0 to 1 in 255 steps."""
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

    def unit(self, begin: int = 0, end: int | None = None) -> NDArray[np.float32]:
        """Images `begin` to `end` in [0, 1]."""
        return unit(self.images[begin:end])

    def first(self, count: int) -> Split:
        """The first `count` samples, or all when there are fewer."""
        return Split(self.images[:count], self.labels[:count])


def unit(images: NDArray[np.float32] | NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images in [0, 1], whichever way they are stored."""
    if images.dtype == np.uint8:
        return images.astype(np.float32) / np.float32(255)
    return images.astype(np.float32, copy=False)


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

    @property
    def source(self) -> Source | None:
        """Where it comes from; None when it ships with a package."""
        ...

    def load(self, split: SplitName, data_dir: Path | None = None) -> Split:
        """The whole split, always in the same order.

        `data_dir` overrides the folders that `hil.data.folders` would look in. Raises DataError,
        naming the file, when something is missing or damaged.
        """
        ...
