"""The handwritten digits that ship inside scikit-learn: 1,797 grey images of 8 × 8.

Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI 1998 (its test
part). The built-in default, because it needs no download.
"""

from __future__ import annotations

import gzip
import importlib.util
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hil.data.dataset import Split, SplitName
from hil.errors import DataError

_SPLIT_SEED = 20220717
_TEST_SHARE = 0.2


def _csv() -> Path:
    # Importing sklearn.datasets takes a second and drags in SciPy; the table beside it does not.
    spec = importlib.util.find_spec("sklearn")
    if spec is None or spec.origin is None:
        raise DataError(
            "scikit-learn, which carries the digits, is not installed", "pip install scikit-learn"
        )
    return Path(spec.origin).parent / "datasets" / "data" / "digits.csv.gz"


@lru_cache(maxsize=1)
def _table() -> NDArray[np.float32]:
    path = _csv()
    try:
        with gzip.open(path, "rt") as file:
            table = np.loadtxt(file, delimiter=",", dtype=np.float32)
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}", "reinstall scikit-learn") from None
    if table.shape != (1797, 65):
        raise DataError(f"{path} has shape {table.shape}, not (1797, 65)", "reinstall scikit-learn")
    return table


def _test_mask(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """A fifth of every class, the same one on every machine."""
    generator = np.random.default_rng(_SPLIT_SEED)
    mask = np.zeros(len(labels), dtype=bool)
    for label in range(10):
        members = np.flatnonzero(labels == label)
        mask[generator.permutation(members)[: round(_TEST_SHARE * len(members))]] = True
    return mask


class Digits:
    """See the module."""

    name = "digits"
    label_names = tuple("0123456789")
    classes = 10
    shape = (8, 8, 1)
    upscale = 3
    mean = (0.305,)
    std = (0.376,)
    source = None

    def load(self, split: SplitName, data_dir: Path | None = None) -> Split:
        """Stratified, fixed 80/20 split; grey levels 0..16 become [0, 1]. `data_dir` is not needed."""
        table = _table()
        labels = table[:, 64].astype(np.int64)
        chosen = _test_mask(labels) == (split == "test")
        images = (table[chosen, :64] / np.float32(16)).reshape(-1, 8, 8, 1)
        return Split(images, labels[chosen])
