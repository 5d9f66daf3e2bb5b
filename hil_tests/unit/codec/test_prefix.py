"""No encoder is ahead of the bound for the rows that it has been given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.bundle import PayloadFormat
from hil.codec.coder import make_coder
from hil.codec.prefix import bytes_of_rows
from hil.codec.tables import tables_from


@pytest.mark.parametrize("codec", ["none", "lzw", "huffman", "range", "context"])
def test_the_first_rows_never_take_more(codec: str) -> None:
    @settings(max_examples=25, deadline=None)
    @given(
        seed=st.integers(0, 2**32 - 1),
        shape=st.tuples(st.integers(2, 4), st.integers(1, 12), st.integers(1, 12)),
        alphabet=st.integers(2, 9),
        hostile=st.booleans(),
    )
    def check(seed: int, shape: tuple[int, int, int], alphabet: int, hostile: bool) -> None:
        rng = np.random.default_rng(seed)
        channels, height, width = shape
        centroids = tuple(float(k) for k in range(alphabet))
        form = PayloadFormat(0, channels, height, width, centroids, codec, order="rows")
        seen = np.minimum(rng.geometric(0.7, shape) - 1, alphabet - 1).astype(np.uint8)
        seen[:, 0, 0] = 1
        tables = tables_from(form, seen.reshape(1, -1)) or {}
        symbols = rng.integers(0, alphabet, shape, dtype=np.uint8)
        if hostile:  # what the tables think least of
            symbols = alphabet - 1 - seen
        coder = make_coder(form, tables)
        for rows in range(1, height + 1):
            part = make_coder(replace(form, height=rows), tables)
            payload = part.encode(symbols[:, :rows].astype(np.uint8).reshape(-1))
            assert len(payload) <= bytes_of_rows(coder, rows) <= coder.capacity

    check()
