"""The range coder is as short as its table allows, and its tables follow the statistics."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.codec import frequencies, range_coder
from hil.errors import CodecError
from hil_tests.unit.codec.payloads import Payload, full_bytes_and_a_carry, payloads

TOTAL = frequencies.TOTAL
seeds = st.integers(0, 2**32 - 1)


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, np.ndarray]:
    """Pixels and a table (channels, alphabet), from even rows to rows of one likely symbol."""
    channels, alphabet = draw(st.integers(1, 8)), draw(st.integers(1, 256))
    rng = np.random.default_rng(draw(seeds))
    counts = np.floor(rng.random((channels, alphabet)) ** draw(st.floats(1, 200)) * 1e6)
    return draw(st.integers(1, 400)), frequencies.normalise(counts.astype(np.int64))


@given(tables(), seeds, st.booleans())
def test_the_size_is_the_entropy_of_the_table(case: tuple[int, np.ndarray], seed: int, even: bool) -> None:
    pixels, table = case
    rng = np.random.default_rng(seed)
    weights = np.ones_like(table) if even else table
    rows = [rng.choice(table.shape[1], pixels, p=row / row.sum()) for row in weights]
    symbols = np.array(rows, np.uint8)
    ideal_bytes = frequencies.ideal_bits(symbols, table) / 8
    encoded = range_coder.encode(symbols, table)
    assert ideal_bytes - 1 < len(encoded) <= 1.01 * ideal_bytes + 4
    assert np.array_equal(range_coder.decode(encoded, symbols.size, pixels, table), symbols.reshape(-1))


def test_a_nearly_certain_symbol_costs_nearly_nothing() -> None:
    """Rounding must not add up where a symbol is worth 0.0004 bit, even from the narrowest range on."""
    table = np.array([[1, TOTAL - 1]], np.uint16)
    for first in range(64):
        symbols = np.ones((1, 20_000), np.uint8)
        symbols[0, :first] = 0
        ideal_bytes = frequencies.ideal_bits(symbols, table) / 8
        assert len(range_coder.encode(symbols, table)) <= 1.01 * ideal_bytes + 4


def test_a_carry_runs_back_over_full_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    coder, symbols = full_bytes_and_a_carry()
    runs, carry = [], range_coder._carry

    def counted(out: bytearray) -> None:
        runs.append(len(out) - len(out.rstrip(b"\xff")))
        carry(out)

    monkeypatch.setattr(range_coder, "_carry", counted)
    encoded = coder.encode(symbols)
    assert max(runs) > 4
    assert np.array_equal(coder.decode(encoded), symbols)


@given(payloads(), payloads())
def test_no_payload_begins_another(one: Payload, other: Payload) -> None:
    form, symbols = one
    counts = frequencies.count(symbols[None], form.channels, len(form.centroids))
    table = frequencies.normalise(counts)
    pixels = form.height * form.width
    others = np.resize(other[1], form.symbols) % np.uint8(min(255, len(form.centroids)))
    planes = [a.reshape(form.channels, pixels) for a in (symbols, others)]
    first, second = (range_coder.encode(plane, table) for plane in planes)
    assert first == second or not (first.startswith(second) or second.startswith(first))


@given(tables())
def test_frequencies_sum_to_the_total_and_leave_nothing_out(case: tuple[int, np.ndarray]) -> None:
    _, table = case
    assert table.dtype == np.uint16
    assert table.min() >= 1
    assert (table.sum(axis=1, dtype=np.int64) == TOTAL).all()


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=40))
def test_no_other_share_would_be_shorter(counts: list[int]) -> None:
    """Moving one unit from any symbol to any other does not help by more than rounding of logarithms."""
    found = np.array(counts, np.int64)
    row = frequencies.normalise(found[None])[0].astype(np.float64)
    gain = found * np.log2((row + 1) / row)
    loss = np.where(row > 1, found * np.log2(row / np.maximum(row - 1, 1)), np.inf)
    best = gain[None, :] - loss[:, None]
    np.fill_diagonal(best, -np.inf)
    assert best.max(initial=-np.inf) <= 2e-9 * max(1, found.sum())


def test_a_channel_never_seen_gets_an_even_row() -> None:
    assert frequencies.normalise(np.zeros((1, 4), np.int64)).tolist() == [[TOTAL // 4] * 4]


def test_symbols_are_counted_by_channel() -> None:
    payload = np.array([[0, 1, 1, 2, 2, 2], [0, 0, 0, 2, 2, 2]], np.uint8)
    assert frequencies.count(payload, 2, 3).tolist() == [[4, 2, 0], [0, 0, 6]]


@pytest.mark.parametrize(
    "call",
    [
        lambda: frequencies.count(np.full((1, 4), 3, np.uint8), 2, 3),
        lambda: frequencies.count(np.zeros((1, 5), np.uint8), 2, 3),
        lambda: frequencies.count(np.zeros(4, np.uint8), 2, 3),
        lambda: frequencies.normalise(np.array([[1, -1]])),
        lambda: frequencies.normalise(np.zeros((1, 257), np.int64)),
        lambda: frequencies.normalise(np.zeros((2, 0), np.int64)),
    ],
)
def test_statistics_of_something_else_are_refused(call: object) -> None:
    assert callable(call)
    with pytest.raises(CodecError):
        call()
