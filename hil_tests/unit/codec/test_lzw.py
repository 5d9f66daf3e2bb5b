"""LZW gives back what it was given and refuses what it never wrote."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.codec import lzw
from hil.errors import CodecError
from hil.wire.protocol import LZW_ENTRIES


@st.composite
def texts(draw, longest: int = 3000):
    """(symbols, alphabet), from random to very repetitive."""
    alphabet = draw(st.integers(2, 256))
    used = draw(st.integers(1, alphabet))
    size = draw(st.integers(0, longest))
    run = draw(st.integers(1, 50))
    draws = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    symbols = draws.integers(0, used, size).repeat(run)[:size].astype(np.uint8)
    return symbols, alphabet


def test_a_text_small_enough_to_encode_by_hand():
    """0 (1 bit), then the new entry 2 (2 bits), then 0 (2 bits): 0b00_10_0."""
    assert lzw.encode(np.zeros(4, np.uint8), 2) == b"\x04"
    assert lzw.decode(b"\x04", 4, 2).tolist() == [0, 0, 0, 0]


@settings(deadline=None)
@given(texts())
def test_every_text_comes_back_as_it_went(text):
    symbols, alphabet = text
    encoded = lzw.encode(symbols, alphabet)
    assert len(encoded) <= lzw.encoded_bytes_max(symbols.size, alphabet)
    assert (lzw.decode(encoded, symbols.size, alphabet) == symbols).all()


def test_a_text_that_fills_the_table_comes_back():
    symbols = np.random.default_rng(0).integers(0, 8, 40_000).astype(np.uint8)
    encoded = lzw.encode(symbols, 8)
    assert len(encoded) > LZW_ENTRIES
    assert (lzw.decode(encoded, symbols.size, 8) == symbols).all()


def test_repetition_shrinks():
    assert len(lzw.encode(np.zeros(7296, np.uint8), 8)) < 200


@settings(deadline=None)
@given(texts(longest=400), st.data())
def test_corrupt_data_is_refused_or_at_least_decodes_to_a_text_of_that_size(text, data):
    symbols, alphabet = text
    encoded = bytearray(lzw.encode(symbols, alphabet))
    if not encoded:
        return
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        decoded = lzw.decode(bytes(encoded), symbols.size, alphabet)
    except CodecError:
        return
    assert decoded.size == symbols.size
    assert decoded.max() < alphabet


@given(st.binary(max_size=500), st.integers(0, 2000), st.integers(2, 256))
def test_garbage_never_hangs_and_raises_nothing_but_codec_errors(garbage, count, alphabet):
    with contextlib.suppress(CodecError):
        assert lzw.decode(garbage, count, alphabet).size == count


@settings(deadline=None)
@given(texts(longest=400), st.integers(1, 20))
def test_a_payload_cut_short_or_with_bytes_behind_it_is_refused(text, extra):
    symbols, alphabet = text
    encoded = lzw.encode(symbols, alphabet)
    with pytest.raises(CodecError):
        lzw.decode(encoded + bytes(extra), symbols.size, alphabet)
    if encoded:
        with pytest.raises(CodecError):
            lzw.decode(encoded[:-1], symbols.size, alphabet)


def test_a_symbol_outside_the_alphabet_is_refused():
    with pytest.raises(CodecError, match="symbol 8"):
        lzw.encode(np.array([1, 8], np.uint8), 8)


@pytest.mark.parametrize("alphabet", [0, 1, 257])
def test_an_impossible_alphabet_is_refused(alphabet):
    with pytest.raises(CodecError, match="alphabet"):
        lzw.encode(np.zeros(3, np.uint8), alphabet)
