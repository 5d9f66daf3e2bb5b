"""Which samples a run takes, and how they become the device's input bytes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.bundle import InputFormat
from hil.data.dataset import Split
from hil.deploy.graph import Tensor
from hil.errors import BundleError


@dataclass(frozen=True)
class Samples:
    """A test split, and what the float model answered on it (`record.predictions` of the bundle)."""

    split: Split
    float_predictions: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        predictions = self.float_predictions
        if predictions is not None and predictions.shape != self.split.labels.shape:
            raise BundleError(
                f"the bundle records {predictions.size} predictions for {len(self.split)} test samples",
                "the bundle was trained on another version of the data set; train it again",
            )

    def device_input(self, sample: int, form: InputFormat, tensor: Tensor) -> NDArray[np.int8]:
        """Sample number `sample` as int8 (height, width, channels)."""
        prepared = form.prepare(self.split.images[sample : sample + 1])
        return tensor.quantise(prepared[0])


def choose(count: int, size: int, seed: int) -> NDArray[np.int64]:
    """`count` sample numbers below `size`, shuffled by `seed`; none comes twice before all came once.

    A longer run with the same seed starts with the samples of a shorter one.
    """
    order = np.random.default_rng(seed).permutation(size).astype(np.int64)
    return np.resize(order, count)
