"""Payloads to try coders on, and the coders with tables from statistics that need not fit them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from hil.bundle import PayloadFormat
from hil.codec.coder import Coder, ProgressiveCoder, make_coder
from hil.codec.frequencies import TOTAL
from hil.codec.tables import make_tables, tables_from
from hil.wire.protocol import CONTEXT_ALPHABET_MAX, CONTEXT_LEFT, CONTEXT_LEVELS

NAMES = ("none", "lzw", "range", "huffman", "lz4", "context")
PROGRESSIVE = ("none", "range", "huffman")
STREAMING = ("none", "lzw", "range", "huffman", "context")
STATIC = ("range", "huffman", "context")
ORDERS = ("planes", "rows")

Symbols = NDArray[np.uint8]
Payload = tuple[PayloadFormat, Symbols]


def form_of(
    channels: int, height: int, width: int, alphabet: int, codec: str = "none", order: str = "planes"
) -> PayloadFormat:
    centroids = tuple(map(float, range(alphabet)))
    return PayloadFormat(0, channels, height, width, centroids, codec, order=order)


def form_for(name: str, channels: int, height: int, width: int, alphabet: int) -> PayloadFormat:
    """Such a form, or the nearest one that the codec `name` takes."""
    if name != "context":
        return form_of(channels, height, width, alphabet)
    return form_of(channels, height, width, min(alphabet, CONTEXT_ALPHABET_MAX), order="rows")


def skewed(seed: int, count: int, alphabet: int, skew: float) -> Symbols:
    """0 is the likeliest symbol, the more so the smaller `skew`."""
    drawn = np.floor(alphabet * np.random.default_rng(seed).random(count) ** (1 / skew))
    return np.minimum(drawn, alphabet - 1).astype(np.uint8)


@st.composite
def payloads(
    draw: st.DrawFn, orders: tuple[str, ...] = ORDERS, alphabet_max: int = 256, width_max: int = 6
) -> Payload:
    channels, height, width = (draw(st.integers(1, most)) for most in (6, 6, width_max))
    alphabet = draw(st.one_of(st.integers(2, alphabet_max), st.sampled_from([2, 16, alphabet_max])))
    form = form_of(channels, height, width, alphabet, order=draw(st.sampled_from(orders)))
    seed, skew = draw(st.integers(0, 2**32 - 1)), draw(st.floats(0.05, 1))
    symbols = skewed(seed, form.symbols, alphabet, skew)
    symbols[np.random.default_rng(seed).random(form.symbols) < draw(st.sampled_from([0, 0.5, 0.98]))] = 0
    return form, symbols


def payloads_for(name: str) -> st.SearchStrategy[Payload]:
    """Payloads that the codec `name` takes."""
    return payloads(("rows",), CONTEXT_ALPHABET_MAX, 10) if name == "context" else payloads()


@st.composite
def statistics(draw: st.DrawFn) -> int:
    """A seed for `coder_of`: what the tables were made from."""
    return draw(st.integers(0, 2**32 - 1))


def coder_of(name: str, form: PayloadFormat, seed: int = 0) -> Coder:
    """A coder whose tables come from other symbols, from nearly even to nearly constant."""
    named = replace(form, codec=name)
    if name == "context":
        return make_coder(named, context_tables_of(named, seed))
    alphabet = len(form.centroids)
    skew = np.random.default_rng(seed).uniform(0.01, 1)
    seen = skewed(seed, form.symbols * 20, alphabet, skew).reshape(20, form.symbols)
    return make_coder(named, tables_from(named, seen))


def context_tables_of(form: PayloadFormat, seed: int) -> dict[str, np.ndarray]:
    """Any tables that are tables: sources, frequencies and shift without sense."""
    rng, channels, alphabet = np.random.default_rng(seed), form.channels, len(form.centroids)
    own = np.arange(channels)
    second = rng.integers(0, own + 1)
    second[rng.random(channels) < 0.4] = CONTEXT_LEFT
    count = int(rng.integers(1, channels + 1))
    skew = rng.choice([0.02, 0.3, 3.0])
    share = rng.dirichlet(np.full(alphabet, skew), (count, CONTEXT_LEVELS**2))
    rows = 1 + np.floor(share * (TOTAL - alphabet)).astype(np.int64)
    np.add.at(rows, (..., 0), TOTAL - rows.sum(axis=-1))
    return {
        "sources": np.stack([rng.integers(0, own + 1), second], axis=1).astype(np.uint16),
        "zeros": rng.choice([1, 100, 2048, 4000, TOTAL - 1], (channels, 5)).astype(np.uint16),
        "shift": rng.integers(0, max(1, (alphabet - 1).bit_length() - 1), 1, dtype=np.uint8),
        "table_of": rng.integers(0, count, channels, dtype=np.uint8),
        "contexts": rows.astype(np.uint16),
    }


def dearest(coder: Coder) -> Symbols:
    """In every channel the symbol that costs most; without tables, symbols that hardly repeat."""
    form = coder.form
    pixels = form.height * form.width
    if coder.table is None:
        return np.random.default_rng(5).integers(0, len(form.centroids), form.symbols, dtype=np.uint8)
    if form.codec == "context":
        return np.random.default_rng(5).integers(1, len(form.centroids), form.symbols, dtype=np.uint8)
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
