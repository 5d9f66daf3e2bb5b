"""The C codec agrees with the host's bit for bit, in both directions."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hil.codec import lzw
from hil.errors import CodecError
from hil.wire.protocol import LZW_ENTRIES
from hil_tests.unit.mcu.harness import Harness

many = settings(max_examples=100, deadline=None)
Symbols = NDArray[np.uint8]


def encode(firmware: Harness, symbols: Symbols, alphabet: int, capacity: int) -> bytes | None:
    answer = firmware.ask("L", struct.pack("<II", alphabet, capacity) + symbols.tobytes())
    (status,) = struct.unpack_from("<i", answer)
    return None if status < 0 else answer[4:]


def decode(firmware: Harness, data: bytes, count: int, alphabet: int) -> bytes | None:
    answer = firmware.ask("U", struct.pack("<II", alphabet, count) + data)
    (status,) = struct.unpack_from("<i", answer)
    return None if status < 0 else answer[4:]


def assert_same(firmware: Harness, symbols: Symbols, alphabet: int) -> bytes:
    expected = lzw.encode(symbols, alphabet)
    assert encode(firmware, symbols, alphabet, len(expected)) == expected
    assert decode(firmware, expected, symbols.size, alphabet) == symbols.tobytes()
    return expected


@st.composite
def streams(draw: st.DrawFn) -> tuple[Symbols, int]:
    """Mostly constant, periodic or random symbols."""
    alphabet = draw(st.integers(2, 256))
    count, seed = draw(st.integers(0, 3000)), draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    symbols = rng.integers(0, alphabet, count, dtype=np.uint8)
    constant = draw(st.sampled_from([0.0, 0.5, 0.95, 1.0]))
    symbols[rng.random(count) < constant] = rng.integers(0, alphabet)
    return symbols, alphabet


@many
@given(stream=streams())
def test_any_stream(firmware: Harness, stream: tuple[Symbols, int]) -> None:
    assert_same(firmware, *stream)


@pytest.mark.parametrize("alphabet", [2, 3, 4, 16, 255, 256])
def test_a_full_table_freezes_alike(firmware: Harness, alphabet: int) -> None:
    symbols = np.random.default_rng(alphabet).integers(0, alphabet, 80_000, dtype=np.uint8)
    assert len(assert_same(firmware, symbols, alphabet)) > LZW_ENTRIES


@pytest.mark.parametrize("count", [0, 1, 2, 3, 100_000])
def test_one_symbol_only(firmware: Harness, count: int) -> None:
    assert_same(firmware, np.zeros(count, np.uint8), 16)


@many
@given(stream=streams(), less=st.integers(1, 40))
def test_too_little_room_is_refused(firmware: Harness, stream: tuple[Symbols, int], less: int) -> None:
    size = len(lzw.encode(*stream))
    if size >= less:
        assert encode(firmware, *stream, capacity=size - less) is None


@pytest.mark.parametrize("at", [0, 1, 500, 999])
def test_a_foreign_symbol_is_refused(firmware: Harness, at: int) -> None:
    symbols = np.zeros(1000, np.uint8)
    symbols[at] = 16
    assert encode(firmware, symbols, 16, 4000) is None


@pytest.mark.parametrize("alphabet", [0, 1, 257])
def test_a_foreign_alphabet_is_refused(firmware: Harness, alphabet: int) -> None:
    assert encode(firmware, np.zeros(4, np.uint8), alphabet, 100) is None
    assert decode(firmware, b"\0", 1, alphabet) is None


@many
@given(data=st.binary(max_size=300), count=st.integers(0, 600), alphabet=st.integers(2, 256))
def test_foreign_code_is_judged_alike(firmware: Harness, data: bytes, count: int, alphabet: int) -> None:
    try:
        expected: bytes | None = lzw.decode(data, count, alphabet).tobytes()
    except CodecError:
        expected = None
    assert decode(firmware, data, count, alphabet) == expected
