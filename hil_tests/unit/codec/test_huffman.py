"""Huffman codes are canonical, complete and as short as any code of whole bits."""

from __future__ import annotations

import heapq

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.codec import huffman
from hil.errors import CodecError
from hil.wire.protocol import HUFFMAN_LENGTH_MAX

counts_of = st.lists(st.integers(0, 10**9), min_size=2, max_size=256)


def unlimited_bits(counts: list[int]) -> int:
    """What the best code of any length needs (Huffman 1952)."""
    heap, bits = list(counts), 0
    heapq.heapify(heap)
    while len(heap) > 1:
        pair = heapq.heappop(heap) + heapq.heappop(heap)
        bits += pair
        heapq.heappush(heap, pair)
    return bits


@given(counts_of)
def test_lengths_make_a_complete_code(counts: list[int]) -> None:
    (row,) = huffman.lengths(np.array([counts]))
    assert row.dtype == np.uint8
    assert huffman.is_complete(row)


@given(st.lists(st.integers(1, 300), min_size=2, max_size=256))
def test_lengths_are_the_best_where_the_limit_does_not_bind(counts: list[int]) -> None:
    """A code of depth 16 needs counts that grow like Fibonacci's, to more than 300 times the least."""
    (row,) = huffman.lengths(np.array([counts]))
    bits = int(np.dot(row.astype(np.int64), counts))
    assert bits >= unlimited_bits(counts)
    if row.max() < HUFFMAN_LENGTH_MAX:
        assert bits == unlimited_bits(counts)


def test_lengths_stop_at_the_limit() -> None:
    fibonacci = [1, 1]
    while len(fibonacci) < 40:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    (row,) = huffman.lengths(np.array([fibonacci]))
    assert row.max() == HUFFMAN_LENGTH_MAX
    assert huffman.is_complete(row)
    assert int(np.dot(row.astype(np.int64), fibonacci)) < 1.01 * unlimited_bits(fibonacci)


def test_codes_are_those_of_rfc_1951() -> None:
    """Its example in 3.2.2."""
    row = np.array([3, 3, 3, 3, 3, 2, 4, 4], np.uint8)
    assert huffman.codes(row).tolist() == [0b010, 0b011, 0b100, 0b101, 0b110, 0b00, 0b1110, 0b1111]


def test_bits_are_packed_from_the_top_and_filled_with_zeros() -> None:
    table = np.array([[1, 2, 2]], np.uint8)
    assert huffman.encode(np.array([[1, 0, 2, 2, 0]], np.uint8), table) == bytes([0b10011110])
    assert huffman.encode(np.array([[2, 2, 2, 2, 1]], np.uint8), table) == bytes([0xFF, 0b10000000])


@pytest.mark.parametrize("payload", [b"", b"\xff\x81", b"\xff\x80\x00", b"\xff"])
def test_another_end_is_refused(payload: bytes) -> None:
    with pytest.raises(CodecError):
        huffman.decode(payload, 5, 5, np.array([[1, 2, 2]], np.uint8))


def test_a_code_that_nobody_has_is_refused() -> None:
    with pytest.raises(CodecError, match="no meaning from bit 2"):
        huffman.decode(b"\x20", 8, 8, np.array([[1]], np.uint8))
