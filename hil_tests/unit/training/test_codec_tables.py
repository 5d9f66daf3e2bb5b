"""Tables from training symbols: what was common there is short, and anything can still be sent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.codec.coder import make_coder
from hil.errors import CodecError
from hil.training.codec_tables import codec_tables
from hil_tests.unit.codec.payloads import NAMES, form_of, payloads_for


@given(st.data(), st.sampled_from(NAMES), st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_the_codec_that_a_bundle_names_finds_its_tables(
    data: st.DataObject, codec: str, samples: int
) -> None:
    form, symbols = data.draw(payloads_for(codec))
    seen = np.tile(symbols.reshape(1, form.channels, -1), (samples, 1, 1))
    tensors = codec_tables(codec, seen, form)
    assert all(name.startswith("codec.") for name in tensors)
    tables = {name.removeprefix("codec."): table for name, table in tensors.items()}
    coder = make_coder(replace(form, codec=codec), tables)
    foreign = (len(form.centroids) - 1 - symbols).astype(np.uint8)
    for sent in (symbols, foreign):
        assert np.array_equal(coder.decode(coder.encode(sent)), sent)


def test_every_channel_has_its_own_statistics() -> None:
    form = form_of(2, 1, 3, 4)
    symbols = np.array([[[0, 0, 0], [3, 3, 3]]], np.uint8)
    (table,) = codec_tables("range", symbols, form).values()
    assert table[0].argmax() == 0
    assert table[1].argmax() == 3


@pytest.mark.parametrize("codec", ["none", "lzw", "lz4"])
def test_a_codec_without_tables_gets_none(codec: str) -> None:
    assert codec_tables(codec, np.zeros((2, 2, 3), np.uint8), form_of(2, 1, 3, 4)) == {}


@pytest.mark.parametrize("shape", [(2, 6), (2, 3, 2), (2, 2, 4)])
def test_symbols_of_another_payload_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(CodecError, match="are no payloads of 2 × 1 × 3"):
        codec_tables("range", np.zeros(shape, np.uint8), form_of(2, 1, 3, 4))
