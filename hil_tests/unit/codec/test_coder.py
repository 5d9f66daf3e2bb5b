"""Every coder that a payload can name gives back what it was given, within its capacity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.codec import frequencies
from hil.codec.coder import ProgressiveCoder, make_coder
from hil.codec.tables import make_tables
from hil.errors import BundleError, CodecError, UsageError
from hil.wire.protocol import LZ4_SYMBOLS_MAX
from hil_tests.unit.codec.payloads import (
    NAMES,
    PROGRESSIVE,
    STATIC,
    Payload,
    coder_of,
    dearest,
    form_for,
    form_of,
    payloads,
    payloads_for,
    skewed,
    statistics,
)

every = pytest.mark.parametrize("name", NAMES)
progressive = pytest.mark.parametrize("name", PROGRESSIVE)


@every
@given(st.data(), statistics())
def test_symbols_come_back_and_fit_the_capacity(name: str, data: st.DataObject, seed: int) -> None:
    form, symbols = data.draw(payloads_for(name))
    coder = coder_of(name, form, seed)
    encoded = coder.encode(symbols)
    assert 0 < len(encoded) <= coder.capacity
    assert np.array_equal(coder.decode(encoded), symbols)


@every
@pytest.mark.parametrize("alphabet", [2, 16, 255, 256])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_dearest_payload_fits_the_capacity(name: str, alphabet: int, seed: int) -> None:
    coder = coder_of(name, form_for(name, 5, 20, 21, alphabet), seed)
    symbols = dearest(coder)
    encoded = coder.encode(symbols)
    assert len(encoded) <= coder.capacity
    assert np.array_equal(coder.decode(encoded), symbols)


@every
@pytest.mark.parametrize("symbol", [0, 255])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 17), (3, 32, 32)])
def test_a_constant_payload_comes_back(name: str, symbol: int, shape: tuple[int, int, int]) -> None:
    coder = coder_of(name, form_for(name, *shape, 256))
    symbols = np.full(coder.form.symbols, min(symbol, len(coder.form.centroids) - 1), np.uint8)
    assert np.array_equal(coder.decode(coder.encode(symbols)), symbols)


@every
@given(st.data(), st.binary(max_size=64))
def test_foreign_bytes_are_refused_or_are_symbols(name: str, data: st.DataObject, noise: bytes) -> None:
    form, _ = data.draw(payloads_for(name))
    coder = coder_of(name, form)
    try:
        symbols = coder.decode(noise)
    except CodecError:
        return
    assert symbols.shape == (form.symbols,)
    assert symbols.max(initial=0) < len(form.centroids)


@pytest.mark.parametrize("name", ["none", *STATIC])
@given(st.data(), statistics(), st.binary(max_size=12), st.integers(0, 2**32))
def test_only_what_an_encoder_makes_is_taken(
    name: str, data: st.DataObject, seed: int, noise: bytes, at: int
) -> None:
    form, symbols = data.draw(payloads_for(name))
    coder = coder_of(name, form, seed)
    own = bytearray(coder.encode(symbols))
    own[at % len(own)] ^= 1 << at % 8
    for foreign in (noise, bytes(own), bytes(own) + noise, bytes(own[:-1])):
        try:
            taken = coder.decode(foreign)
        except CodecError:
            continue
        assert coder.encode(taken) == foreign


@every
@given(statistics(), st.data())
def test_a_cut_or_lengthened_payload_is_refused(name: str, seed: int, data: st.DataObject) -> None:
    form, symbols = data.draw(payloads_for(name))
    coder = coder_of(name, form, seed)
    encoded = coder.encode(symbols)
    cut = data.draw(st.integers(0, len(encoded) - 1))
    for damaged in (encoded[:cut], encoded + b"\0", encoded + b"\xff\xff"):
        with pytest.raises(CodecError):
            coder.decode(damaged)


@pytest.mark.parametrize("name", ["lzw", "none", *STATIC])
def test_a_payload_longer_than_any_is_refused_unread(name: str) -> None:
    coder = coder_of(name, form_for(name, 2, 5, 5, 4))
    for decode in (coder.decode, getattr(coder, "decode_prefix", coder.decode)):
        with pytest.raises(CodecError, match=r"bytes, at most|symbols, not"):
            decode(bytes(50_000_000))


@progressive
@given(payloads(orders=("planes",)), statistics())
def test_a_prefix_decodes_to_whole_channels(name: str, payload: Payload, seed: int) -> None:
    form, symbols = payload
    coder = coder_of(name, form, seed)
    assert isinstance(coder, ProgressiveCoder)
    encoded, pixels, known = coder.encode(symbols), form.height * form.width, 0
    for arrived in range(len(encoded) + 1):
        prefix = coder.decode_prefix(encoded[:arrived])
        assert prefix.size % pixels == 0
        assert prefix.size >= known
        assert np.array_equal(prefix, symbols[: prefix.size])
        known = prefix.size
    assert known == symbols.size


@progressive
@given(payloads(orders=("planes",)), st.binary(max_size=64))
def test_a_foreign_prefix_is_refused_or_is_channels(name: str, payload: Payload, noise: bytes) -> None:
    form, _ = payload
    coder = coder_of(name, form)
    assert isinstance(coder, ProgressiveCoder)
    try:
        symbols = coder.decode_prefix(noise)
    except CodecError:
        return
    assert symbols.size % (form.height * form.width) == 0
    assert symbols.size <= form.symbols


@progressive
@given(payloads(orders=("rows",)))
def test_rows_cannot_be_read_in_part(name: str, payload: Payload) -> None:
    form, symbols = payload
    coder = coder_of(name, form)
    assert isinstance(coder, ProgressiveCoder)
    with pytest.raises(CodecError, match="in order 'rows' cannot be read in part"):
        coder.decode_prefix(coder.encode(symbols))


@every
def test_a_symbol_outside_the_alphabet_is_refused(name: str) -> None:
    with pytest.raises(CodecError, match="outside an alphabet of 3"):
        coder_of(name, form_for(name, 1, 1, 2, 3)).encode(np.array([0, 3], np.uint8))


@every
def test_another_number_of_symbols_is_refused(name: str) -> None:
    with pytest.raises(CodecError, match="3 symbols, not 2"):
        coder_of(name, form_for(name, 1, 1, 2, 3)).encode(np.zeros(3, np.uint8))


@pytest.mark.parametrize("name", ["range", "huffman"])
def test_an_alphabet_of_one_symbol_takes_no_or_one_bit(name: str) -> None:
    coder = coder_of(name, form_of(2, 5, 8, 1))
    encoded = coder.encode(np.zeros(80, np.uint8))
    assert len(encoded) == (1 if name == "range" else 10)
    assert not coder.decode(encoded).any()


@pytest.mark.parametrize("name", ["range", "huffman"])
def test_a_table_per_channel_is_used_channel_by_channel(name: str) -> None:
    """Two channels that are constant at different symbols cost nearly nothing."""
    symbols = np.repeat(np.array([0, 7], np.uint8), 400)
    form = form_of(2, 20, 20, 8)
    counts = np.array([[400, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 400]])
    coder = make_coder(type(form)(**{**vars(form), "codec": name}), make_tables(name, counts))
    assert len(coder.encode(symbols)) <= (4 if name == "range" else 100)


@pytest.mark.parametrize(
    ("name", "tables", "says"),
    [
        ("range", {}, "no codec.frequencies"),
        ("huffman", {}, "no codec.lengths"),
        ("range", {"frequencies": np.full((1, 2), 2048, np.int64)}, "is int64"),
        ("range", {"frequencies": np.full((2, 2), 2048, np.uint16)}, r"\(2, 2\), not"),
        ("range", {"frequencies": np.array([[0, 4096]], np.uint16)}, "at least 1"),
        ("range", {"frequencies": np.array([[1, 4096]], np.uint16)}, "4096 in all"),
        ("huffman", {"lengths": np.array([[1, 2]], np.uint8)}, "no complete code"),
        ("huffman", {"lengths": np.array([[0, 1]], np.uint8)}, "no complete code"),
        ("huffman", {"lengths": np.array([[1, 200]], np.uint8)}, "no complete code"),
    ],
)
def test_tables_that_do_not_fit_are_refused(name: str, tables: dict[str, object], says: str) -> None:
    with pytest.raises(BundleError, match=says):
        make_coder(form_of(1, 1, 2, 2, name), tables)  # type: ignore[arg-type]


def test_a_payload_too_long_for_lz4_is_refused() -> None:
    assert coder_of("lz4", form_of(1, 1, LZ4_SYMBOLS_MAX, 2)).capacity > LZ4_SYMBOLS_MAX
    with pytest.raises(UsageError, match="takes 65535 symbols"):
        make_coder(form_of(1, 1, LZ4_SYMBOLS_MAX + 1, 2, "lz4"), {})


@given(payloads(orders=("rows",)))
def test_rows_are_packed_row_by_row_and_in_each_channel_by_channel(payload: Payload) -> None:
    form, symbols = payload
    packed = np.frombuffer(coder_of("none", form).encode(symbols), np.uint8)
    shape = (form.channels, form.height, form.width)
    for at in np.ndindex(shape):
        channel, y, x = at
        sent = packed[(y * form.channels + channel) * form.width + x]
        assert sent == symbols.reshape(shape)[at]


def test_a_progressive_payload_in_rows_is_refused() -> None:
    form = replace(form_of(2, 3, 3, 4, order="rows"), progressive=True)
    with pytest.raises(UsageError, match="progressive payload in order 'rows'"):
        make_coder(form, {})


def test_an_unknown_order_is_told_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="unknown order 'columns'"):
        make_coder(form_of(1, 1, 1, 2, order="columns"), {})


def test_an_unknown_codec_is_told_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="unknown codec 'zip'"):
        make_coder(form_of(1, 1, 1, 2, "zip"), {})


@pytest.mark.parametrize("name", ["range", "huffman"])
def test_static_tables_beat_lzw_on_what_they_were_made_for(name: str) -> None:
    form = form_of(19, 16, 16, 16)
    symbols = skewed(7, form.symbols, 16, 0.2)
    tables = make_tables(name, frequencies.count(symbols[None], 19, 16))
    coder = make_coder(type(form)(**{**vars(form), "codec": name}), tables)
    assert len(coder.encode(symbols)) < len(coder_of("lzw", form).encode(symbols))
