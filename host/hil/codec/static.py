"""The coders with tables from training, for one payload format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.bundle import PayloadFormat
from hil.codec import check, context, huffman, order, range_coder, tables
from hil.errors import UsageError
from hil.wire.protocol import Codec, Order


class Range:
    """`hil.codec.range_coder`. Raises BundleError on a table that does not fit."""

    wire = Codec.RANGE
    scratch_bytes = 0

    def __init__(self, form: PayloadFormat, tensors: Mapping[str, NDArray[Any]]) -> None:
        self.form = form
        self._pixels = form.height * form.width
        self._length = order.run_length(form)
        self._frequencies = tables.read_frequencies(form, tensors)
        self.capacity = range_coder.encoded_bytes_max(self._pixels, self._frequencies)

    @property
    def table(self) -> NDArray[np.uint32]:
        """Cumulative frequency in the upper half of a word, frequency in the lower."""
        sizes = self._frequencies.astype(np.uint32)
        starts = np.cumsum(sizes, axis=1, dtype=np.uint32) - sizes
        return (starts << 16 | sizes).astype(np.uint32)

    def encode(self, symbols: NDArray[np.uint8]) -> bytes:
        """See `Coder.encode`."""
        return range_coder.encode(check.require(symbols, self.form), self._frequencies)

    def decode(self, payload: bytes) -> NDArray[np.uint8]:
        """See `Coder.decode`."""
        sized = check.require_size(payload, self.capacity)
        return order.to_planes(
            range_coder.decode(sized, self.form.symbols, self._length, self._frequencies), self.form
        )

    def decode_prefix(self, payload: bytes) -> NDArray[np.uint8]:
        """See `ProgressiveCoder.decode_prefix`."""
        check.require_planes(self.form)
        sized = check.require_size(payload, self.capacity)
        return range_coder.decode_prefix(sized, self._pixels, self._frequencies).reshape(-1)


class Context:
    """`hil.codec.context`.

    Raises UsageError on an order but rows or too large an alphabet, BundleError on tables that do not fit.
    """

    wire = Codec.CONTEXT

    def __init__(self, form: PayloadFormat, tensors: Mapping[str, NDArray[Any]]) -> None:
        if order.order_of(form) is not Order.ROWS:
            raise UsageError(
                f"codec 'context' sends rows, not {form.order!r}", "take 'range', or order 'rows'"
            )
        self.form = form
        self._tables = tables.read_contexts(form, tensors)
        self._shape = (form.channels, form.height, form.width)
        alphabet = len(form.centroids)
        self.capacity = context.budget(form.channels * form.height, form.width, alphabet).capacity
        self.scratch_bytes = (form.channels + 2) * -(-form.width // 4) * 4 + form.channels

    @property
    def table(self) -> NDArray[np.uint32]:
        """See `context.words`."""
        return context.words(self._tables, self.form.width)

    def encode(self, symbols: NDArray[np.uint8]) -> bytes:
        """See `Coder.encode`."""
        check.require(symbols, self.form)
        return context.encode(symbols.reshape(self._shape), self._tables)

    def decode(self, payload: bytes) -> NDArray[np.uint8]:
        """See `Coder.decode`."""
        sized = check.require_size(payload, self.capacity)
        return context.decode(sized, self._shape, self._tables).reshape(-1)


class Huffman:
    """`hil.codec.huffman`. Raises BundleError on a table that does not fit."""

    wire = Codec.HUFFMAN
    scratch_bytes = 0

    def __init__(self, form: PayloadFormat, tensors: Mapping[str, NDArray[Any]]) -> None:
        self.form = form
        self._pixels = form.height * form.width
        self._length = order.run_length(form)
        self._lengths = tables.read_lengths(form, tensors)
        self.capacity = huffman.encoded_bytes_max(self._pixels, self._lengths)

    @property
    def table(self) -> NDArray[np.uint32]:
        """A code's length in the upper half of a word, the code in the lower."""
        codes = np.stack([huffman.codes(row) for row in self._lengths])
        return (self._lengths.astype(np.uint32) << 16 | codes).astype(np.uint32)

    def encode(self, symbols: NDArray[np.uint8]) -> bytes:
        """See `Coder.encode`."""
        return huffman.encode(check.require(symbols, self.form), self._lengths)

    def decode(self, payload: bytes) -> NDArray[np.uint8]:
        """See `Coder.decode`."""
        sized = check.require_size(payload, self.capacity)
        return order.to_planes(
            huffman.decode(sized, self.form.symbols, self._length, self._lengths), self.form
        )

    def decode_prefix(self, payload: bytes) -> NDArray[np.uint8]:
        """See `ProgressiveCoder.decode_prefix`."""
        check.require_planes(self.form)
        sized = check.require_size(payload, self.capacity)
        return huffman.decode_prefix(sized, self._pixels, self._lengths).reshape(-1)
