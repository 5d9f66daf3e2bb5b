"""The tables of a static coder: made from training statistics, read back from a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.bundle import PayloadFormat
from hil.codec import frequencies, huffman
from hil.errors import BundleError

FREQUENCIES, LENGTHS = "frequencies", "lengths"


def make_tables(codec: str, counts: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """What a bundle holds under `codec.` for a codec, from `frequencies.count`; nothing for adaptive ones."""
    if codec == "range":
        return {FREQUENCIES: frequencies.normalise(counts)}
    if codec == "huffman":
        return {LENGTHS: huffman.lengths(counts)}
    return {}


def read_frequencies(form: PayloadFormat, tables: Mapping[str, NDArray[Any]]) -> NDArray[np.uint16]:
    """`codec.frequencies`. Raises BundleError unless it fits the payload."""
    table = _table(FREQUENCIES, np.uint16, form, tables)
    if table.min() < 1 or np.any(table.sum(axis=1, dtype=np.int64) != frequencies.TOTAL):
        raise BundleError(
            f"codec.frequencies does not give every channel {frequencies.TOTAL} in all, at least 1 a symbol",
            "make it with frequencies.normalise",
        )
    return table


def read_lengths(form: PayloadFormat, tables: Mapping[str, NDArray[Any]]) -> NDArray[np.uint8]:
    """`codec.lengths`. Raises BundleError unless it fits the payload."""
    table = _table(LENGTHS, np.uint8, form, tables)
    if not all(map(huffman.is_complete, table)):
        raise BundleError(
            "codec.lengths is no complete code in every channel", "make it with huffman.lengths"
        )
    return table


def _table(name: str, kind: type, form: PayloadFormat, tables: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    shape = (form.channels, len(form.centroids))
    table = tables.get(name)
    if table is None:
        raise BundleError(f"the bundle has no codec.{name} for codec {form.codec!r}", "train it again")
    if table.shape != shape or table.dtype != kind or not table.size:
        raise BundleError(
            f"codec.{name} is {table.dtype} {table.shape}, not {np.dtype(kind)} {shape}", "train it again"
        )
    return table
