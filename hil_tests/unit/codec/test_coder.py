"""Every coder that a payload can name gives back what it was given, within its capacity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hil.bundle import PayloadFormat
from hil.codec.coder import Coder, make_coder
from hil.errors import CodecError, UsageError

NAMES = ("none", "lzw")


@st.composite
def payloads(draw: st.DrawFn) -> tuple[PayloadFormat, NDArray[np.uint8]]:
    channels, height, width = (draw(st.integers(1, 6)) for _ in range(3))
    alphabet = draw(st.integers(2, 256))
    form = PayloadFormat(0, channels, height, width, tuple(map(float, range(alphabet))))
    skew = draw(st.floats(0.05, 1))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    drawn = np.floor(alphabet * generator.random(form.symbols) ** (1 / skew))
    return form, np.minimum(drawn, alphabet - 1).astype(np.uint8)


def _coder(name: str, form: PayloadFormat) -> Coder:
    fields = {**vars(form), "codec": name}
    return make_coder(PayloadFormat(**fields), {})


@pytest.mark.parametrize("name", NAMES)
@given(payloads())
def test_symbols_come_back_and_fit_the_capacity(
    name: str, payload: tuple[PayloadFormat, NDArray[np.uint8]]
) -> None:
    form, symbols = payload
    coder = _coder(name, form)
    encoded = coder.encode(symbols)
    assert len(encoded) <= coder.capacity
    assert np.array_equal(coder.decode(encoded), symbols)


@pytest.mark.parametrize("name", NAMES)
@given(payloads(), st.binary(max_size=64))
def test_foreign_bytes_are_refused_or_are_symbols(
    name: str, payload: tuple[PayloadFormat, NDArray[np.uint8]], noise: bytes
) -> None:
    form, _ = payload
    coder = _coder(name, form)
    try:
        symbols = coder.decode(noise)
    except CodecError:
        return
    assert symbols.shape == (form.symbols,)
    assert symbols.max(initial=0) < len(form.centroids)


@pytest.mark.parametrize("name", NAMES)
def test_a_symbol_outside_the_alphabet_is_refused(name: str) -> None:
    form = PayloadFormat(0, 1, 1, 2, (0.0, 1.0, 2.0))
    with pytest.raises(CodecError, match="outside an alphabet of 3"):
        _coder(name, form).encode(np.array([0, 3], np.uint8))


def test_an_unknown_codec_is_told_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="unknown codec 'zip'"):
        _coder("zip", PayloadFormat(0, 1, 1, 1, (0.0, 1.0)))
