"""Payloads to try coders on, and the coders with tables from statistics that need not fit them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from hil.bundle import PayloadFormat
from hil.codec import frequencies
from hil.codec.coder import Coder, ProgressiveCoder, make_coder
from hil.codec.tables import make_tables

NAMES = ("none", "lzw", "range", "huffman", "lz4")
PROGRESSIVE = ("none", "range", "huffman")
STREAMING = ("none", "lzw", "range", "huffman")
ORDERS = ("planes", "rows")

Symbols = NDArray[np.uint8]
Payload = tuple[PayloadFormat, Symbols]


def form_of(
    channels: int, height: int, width: int, alphabet: int, codec: str = "none", order: str = "planes"
) -> PayloadFormat:
    centroids = tuple(map(float, range(alphabet)))
    return PayloadFormat(0, channels, height, width, centroids, codec, order=order)


def skewed(seed: int, count: int, alphabet: int, skew: float) -> Symbols:
    """0 is the likeliest symbol, the more so the smaller `skew`."""
    drawn = np.floor(alphabet * np.random.default_rng(seed).random(count) ** (1 / skew))
    return np.minimum(drawn, alphabet - 1).astype(np.uint8)


@st.composite
def payloads(draw: st.DrawFn, orders: tuple[str, ...] = ORDERS) -> Payload:
    channels, height, width = (draw(st.integers(1, 6)) for _ in range(3))
    alphabet = draw(st.one_of(st.integers(2, 256), st.sampled_from([2, 16, 256])))
    form = form_of(channels, height, width, alphabet, order=draw(st.sampled_from(orders)))
    seed, skew = draw(st.integers(0, 2**32 - 1)), draw(st.floats(0.05, 1))
    return form, skewed(seed, form.symbols, alphabet, skew)


@st.composite
def statistics(draw: st.DrawFn) -> int:
    """A seed for `coder_of`: what the tables were made from."""
    return draw(st.integers(0, 2**32 - 1))


def coder_of(name: str, form: PayloadFormat, seed: int = 0) -> Coder:
    """A coder whose tables come from other symbols, from nearly even to nearly constant."""
    alphabet = len(form.centroids)
    named = PayloadFormat(**{**vars(form), "codec": name})
    skew = np.random.default_rng(seed).uniform(0.01, 1)
    seen = skewed(seed, form.symbols * 20, alphabet, skew).reshape(20, form.symbols)
    return make_coder(named, make_tables(name, frequencies.count(seen, form.channels, alphabet)))


def dearest(coder: Coder) -> Symbols:
    """In every channel the symbol that costs most; without tables, symbols that hardly repeat."""
    form = coder.form
    pixels = form.height * form.width
    if coder.table is None:
        return np.random.default_rng(5).integers(0, len(form.centroids), form.symbols, dtype=np.uint8)
    if form.codec == "range":
        chosen = (coder.table & 0xFFFF).argmin(axis=1)
    else:
        chosen = (coder.table >> 16).argmax(axis=1)
    return np.repeat(chosen.astype(np.uint8), pixels)


def full_bytes_and_a_carry() -> tuple[Coder, Symbols]:
    """A range coder and symbols that keep the interval around one half, then lift it above.

    Below one half the bytes written are 7F FF FF …; the lift turns all of them over.
    """
    coder = make_coder(form_of(1, 10, 10, 3, "range"), make_tables("range", np.array([[3, 4, 5]])))
    assert isinstance(coder, ProgressiveCoder)
    around_half = coder.decode_prefix(b"\x80" + bytes(coder.capacity - 1)).copy()
    around_half[60:] = 2
    return coder, around_half
