"""Reads pickles that hold NumPy arrays and nothing that could run code."""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np

from hil.errors import DataError

# `_reconstruct` moved between NumPy releases; every array names the right one itself.
_RECONSTRUCT = np.empty(0).__reduce__()[0]
_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it wants {module}.{name}") from None


def loads(content: bytes, origin: str) -> Any:
    """The object in `content`; Python 2 strings stay bytes.

    Raises DataError naming `origin` when the pickle is broken or asks for anything but arrays.
    """
    try:
        return _ArraysOnly(io.BytesIO(content), encoding="bytes").load()
    # A broken pickle may raise nearly anything, and what it holds is a stranger's.
    except Exception as error:
        hint = "get the file from its publisher"
        raise DataError(f"{origin} is no pickle of arrays: {error}", hint) from None
