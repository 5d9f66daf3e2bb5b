"""The tables of a static coder: made from training statistics, read back from a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.bundle import PayloadFormat
from hil.codec import context_tables, frequencies, huffman
from hil.codec.context_tables import ContextTables
from hil.errors import BundleError, UsageError
from hil.wire.protocol import CONTEXT_ALPHABET_MAX, CONTEXT_LEFT, CONTEXT_LEVELS

FREQUENCIES, LENGTHS = "frequencies", "lengths"
STATIC = ("huffman", "range", "context")
"""Codecs with tables of their own."""
CONTEXT = ("sources", "zeros", "shift", "table_of", "contexts")


def make_tables(codec: str, counts: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """What a bundle holds under `codec.` for a codec, from `frequencies.count`; nothing for adaptive ones."""
    if codec == "range":
        return {FREQUENCIES: frequencies.normalise(counts)}
    if codec == "huffman":
        return {LENGTHS: huffman.lengths(counts)}
    return {}


def read_frequencies(form: PayloadFormat, tables: Mapping[str, NDArray[Any]]) -> NDArray[np.uint16]:
    """`codec.frequencies`. Raises BundleError unless it fits the payload."""
    shape = (form.channels, len(form.centroids))
    table = _table(FREQUENCIES, np.uint16, shape, form, tables)
    _require_frequencies(FREQUENCIES, table)
    return table


def read_lengths(form: PayloadFormat, tables: Mapping[str, NDArray[Any]]) -> NDArray[np.uint8]:
    """`codec.lengths`. Raises BundleError unless it fits the payload."""
    table = _table(LENGTHS, np.uint8, (form.channels, len(form.centroids)), form, tables)
    if not all(map(huffman.is_complete, table)):
        raise BundleError(
            "codec.lengths is no complete code in every channel", "make it with huffman.lengths"
        )
    return table


def tables_from(form: PayloadFormat, payloads: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    """The same from `payloads` (N, symbols) themselves, planar, of `form`. Raises CodecError on others.

    UsageError where the codec does not take so large an alphabet.
    """
    alphabet = len(form.centroids)
    counts = frequencies.count(payloads, form.channels, alphabet)
    if form.codec != "context":
        return make_tables(form.codec, counts)
    _require_small(alphabet)
    planes = payloads.reshape(len(payloads), form.channels, form.height, form.width)
    return {name: getattr(context_tables.make(planes, alphabet), name) for name in CONTEXT}


def read_contexts(form: PayloadFormat, tables: Mapping[str, NDArray[Any]]) -> ContextTables:
    """All of `CONTEXT`. Raises BundleError unless they fit the payload.

    UsageError where the alphabet is too large.
    """
    channels, alphabet = form.channels, len(form.centroids)
    _require_small(alphabet)
    own = np.arange(channels)[:, None]
    sources = _table("sources", np.uint16, (channels, 2), form, tables)
    zeros = _table("zeros", np.uint16, (channels, 5), form, tables)
    shift = _table("shift", np.uint8, (1,), form, tables)
    table_of = _table("table_of", np.uint8, (channels,), form, tables)
    shape = (len(tables.get("contexts", ())), CONTEXT_LEVELS**2, alphabet)
    contexts = _table("contexts", np.uint16, shape, form, tables)
    _require_frequencies("contexts", contexts)
    known = sources <= own
    known[:, 1] |= sources[:, 1] == CONTEXT_LEFT
    possible = (zeros >= 1) & (zeros < frequencies.TOTAL)
    if not known.all() or not possible.all() or table_of.max() >= len(contexts) or shift[0] > 2:
        raise BundleError(
            "codec.sources, .zeros, .table_of or .shift names what is not there", "make it with tables_from"
        )
    return ContextTables(sources, zeros, shift, table_of, contexts)


def _require_small(alphabet: int) -> None:
    if alphabet > CONTEXT_ALPHABET_MAX:
        raise UsageError(
            f"codec 'context' takes {CONTEXT_ALPHABET_MAX} symbols, not {alphabet}",
            "take 'range', 'huffman' or 'lz4'",
        )


def _require_frequencies(name: str, table: NDArray[np.uint16]) -> None:
    if table.min() < 1 or np.any(table.sum(axis=-1, dtype=np.int64) != frequencies.TOTAL):
        raise BundleError(
            f"codec.{name} has a row that does not sum to {frequencies.TOTAL}, at least 1 a symbol",
            "make it with frequencies.normalise",
        )


def _table(
    name: str, kind: type, shape: tuple[int, ...], form: PayloadFormat, tables: Mapping[str, NDArray[Any]]
) -> NDArray[Any]:
    table = tables.get(name)
    if table is None:
        raise BundleError(f"the bundle has no codec.{name} for codec {form.codec!r}", "train it again")
    if table.shape != shape or table.dtype != kind or not table.size:
        raise BundleError(
            f"codec.{name} is {table.dtype} {table.shape}, not {np.dtype(kind)} {shape}", "train it again"
        )
    return table
