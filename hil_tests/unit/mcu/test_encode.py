"""The C encoders agree with the host's bit for bit, through the one dispatch that the firmware uses."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.codec.coder import Coder
from hil.codec.order import order_of, to_runs
from hil_tests.unit.codec.payloads import (
    NAMES,
    STATIC,
    STREAMING,
    Symbols,
    coder_of,
    dearest,
    form_for,
    form_of,
    full_bytes_and_a_carry,
    payloads_for,
    skewed,
    statistics,
)
from hil_tests.unit.mcu.harness import Harness

WHOLE, BY_RUNS, BY_ROWS = range(3)
many = settings(max_examples=100, deadline=None)
every = pytest.mark.parametrize("name", NAMES)


def encode(
    firmware: Harness, coder: Coder, symbols: Symbols, capacity: int, streaming: int = WHOLE
) -> bytes | None:
    """Of planar symbols, which the encoder gets as `streaming` says; None where they are refused."""
    form = coder.form
    table = b"" if coder.table is None else coder.table.tobytes()
    head = struct.pack(
        "<10I",
        form.height * form.width,
        form.channels,
        len(form.centroids),
        coder.wire,
        capacity,
        coder.scratch_bytes,
        len(table) // 4,
        order_of(form),
        form.width,
        streaming,
    )
    answer = firmware.ask("P", head + table + to_runs(symbols, form).tobytes())
    (status,) = struct.unpack_from("<i", answer)
    return None if status < 0 else answer[4:]


def _ways(name: str) -> list[int]:
    """How the encoder can get symbols."""
    return [WHOLE] + [BY_RUNS] * (name in STREAMING) + [BY_ROWS] * (name == "context")


@every
@many
@given(data=st.data(), seed=statistics())
def test_any_payload(firmware: Harness, name: str, data: st.DataObject, seed: int) -> None:
    form, symbols = data.draw(payloads_for(name))
    coder = coder_of(name, form, seed)
    expected = coder.encode(symbols)
    for streaming in _ways(name):
        assert encode(firmware, coder, symbols, len(expected), streaming) == expected
        assert encode(firmware, coder, symbols, len(expected) - 1, streaming) is None


@every
@pytest.mark.parametrize("alphabet", [2, 16, 256])
@pytest.mark.parametrize("skew", [0.02, 0.3, 1.0])
def test_a_long_payload(firmware: Harness, name: str, alphabet: int, skew: float) -> None:
    coder = coder_of(name, form_for(name, 19, 25, 41, alphabet), alphabet)
    symbols = skewed(alphabet, coder.form.symbols, len(coder.form.centroids), skew)
    assert encode(firmware, coder, symbols, coder.capacity) == coder.encode(symbols)


@every
@pytest.mark.parametrize("seed", range(6))
def test_the_dearest_payload(firmware: Harness, name: str, seed: int) -> None:
    coder = coder_of(name, form_for(name, 4, 30, 30, 2 + 50 * seed), seed)
    symbols = dearest(coder)
    assert encode(firmware, coder, symbols, coder.capacity) == coder.encode(symbols)


@every
@pytest.mark.parametrize("symbol", [0, 1])
def test_a_constant_payload(firmware: Harness, name: str, symbol: int) -> None:
    coder = coder_of(name, form_for(name, 2, 100, 100, 2))
    symbols = np.full(coder.form.symbols, symbol, np.uint8)
    assert encode(firmware, coder, symbols, coder.capacity) == coder.encode(symbols)


def test_a_carry_over_full_bytes(firmware: Harness) -> None:
    coder, symbols = full_bytes_and_a_carry()
    assert encode(firmware, coder, symbols, coder.capacity) == coder.encode(symbols)


@pytest.mark.parametrize("name", ["range", "huffman"])
def test_an_alphabet_of_one(firmware: Harness, name: str) -> None:
    coder = coder_of(name, form_of(3, 4, 5, 1))
    symbols = np.zeros(60, np.uint8)
    assert encode(firmware, coder, symbols, coder.capacity) == coder.encode(symbols)


@pytest.mark.parametrize("name", ["lzw", *STATIC])
@pytest.mark.parametrize("alphabet", [11, 16])
@pytest.mark.parametrize("at", [0, 1, 500, 999])
def test_a_foreign_symbol_is_refused(firmware: Harness, name: str, alphabet: int, at: int) -> None:
    coder = coder_of(name, form_for(name, 10, 10, 10, alphabet))
    symbols = np.zeros(1000, np.uint8)
    symbols[at] = alphabet
    for streaming in _ways(name):
        assert encode(firmware, coder, symbols, 4000, streaming) is None


def test_an_unknown_codec_is_refused(firmware: Harness) -> None:
    head = struct.pack("<10I", 1, 1, 2, 200, 100, 0, 0, 0, 1, 0)
    assert firmware.ask("P", head + b"\0") == struct.pack("<i", -1)


@every
@many
@given(data=st.data(), seed=statistics(), share=st.floats(0, 0.99))
def test_too_little_room_is_refused(
    firmware: Harness, name: str, data: st.DataObject, seed: int, share: float
) -> None:
    form, symbols = data.draw(payloads_for(name))
    coder = coder_of(name, form, seed)
    assert encode(firmware, coder, symbols, int(share * len(coder.encode(symbols)))) is None
