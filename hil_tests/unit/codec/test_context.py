"""The context coder: what its tables find out, what they make of it, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.bundle import PayloadFormat
from hil.codec import context, context_tables
from hil.codec.coder import make_coder
from hil.codec.tables import tables_from
from hil.errors import BundleError, CodecError, UsageError
from hil.wire.protocol import CONTEXT_LEFT
from hil_tests.unit.codec.payloads import (
    coder_of,
    context_tables_of,
    form_of,
    payloads_for,
    skewed,
    statistics,
)

FORM = form_of(4, 12, 16, 8, "context", "rows")
few = settings(max_examples=20, deadline=None)


def correlated(count: int, seed: int) -> np.ndarray:
    """Payloads of FORM: the last channel is nearly the second, the third is always zero."""
    rng = np.random.default_rng(seed)
    planes = skewed(seed, count * FORM.symbols, 8, 0.4).reshape(count, 4, 12, 16)
    planes[:, 2] = 0
    noise = rng.random((count, 12, 16)) < 0.03
    planes[:, 3] = np.where(noise, planes[:, 3], planes[:, 1])
    return planes.reshape(count, -1)


def test_a_channel_that_follows_another_finds_it() -> None:
    tables = context_tables.make(correlated(20, 1).reshape(20, 4, 12, 16), 8)
    assert 1 in tables.sources[3]


def test_it_is_shorter_than_tables_without_context() -> None:
    training, symbols = correlated(20, 1), correlated(1, 2)[0]
    sizes = {}
    for codec in ("range", "context"):
        form = replace(FORM, codec=codec)
        sizes[codec] = len(make_coder(form, tables_from(form, training)).encode(symbols))
    assert sizes["context"] < 0.85 * sizes["range"]


def test_a_channel_of_zeros_costs_next_to_nothing() -> None:
    training, symbols = correlated(20, 1), correlated(1, 2)
    fewer = replace(FORM, channels=3)
    sizes = []
    for form, chosen in ((FORM, [0, 1, 2, 3]), (fewer, [0, 1, 3])):
        seen, sent = (
            planes.reshape(-1, 4, 12, 16)[:, chosen].reshape(len(planes), -1)
            for planes in (training, symbols)
        )
        sizes.append(len(make_coder(form, tables_from(form, seen)).encode(sent[0])))
    assert sizes[0] <= sizes[1] + 2


@few
@given(payload=payloads_for("context"), seed=statistics())
def test_tables_from_any_payloads_are_taken_and_fit(payload: tuple, seed: int) -> None:
    form, symbols = payload
    form = replace(form, codec="context")
    seen = np.stack([symbols, np.random.default_rng(seed).permutation(symbols)])
    coder = make_coder(form, tables_from(form, seen))
    encoded = coder.encode(symbols)
    assert len(encoded) <= coder.capacity
    assert np.array_equal(coder.decode(encoded), symbols)


@given(payloads_for("context"), statistics())
def test_the_budget_bounds_any_payload_under_any_tables(payload: tuple, seed: int) -> None:
    form, symbols = payload
    coder = coder_of("context", form, seed)
    even = np.log2(len(form.centroids)) / 8
    rows = form.channels * form.height
    assert (
        len(coder.encode(symbols)) <= coder.capacity <= rows * (form.width * even + 4) + 80 + 4 * form.width
    )


@given(st.integers(0, 15), st.integers(0, 2))
def test_a_level_is_the_symbol_clipped_after_the_shift(symbol: int, shift: int) -> None:
    assert context_tables.levels(np.array([symbol], np.uint8), shift)[0] == min(symbol >> shift, 3)


def test_sources_lie_above_left_and_in_earlier_channels() -> None:
    planes = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    assert context_tables.source(planes, 1, 1).tolist() == [[0] * 4, *planes[1, :2].tolist()]
    assert context_tables.source(planes, 1, 0).tolist() == planes[0].tolist()
    assert context_tables.source(planes, 1, CONTEXT_LEFT)[0].tolist() == [0, 12, 13, 14]


def test_planes_are_refused() -> None:
    with pytest.raises(UsageError, match="sends rows, not 'planes'"):
        make_coder(replace(FORM, order="planes"), context_tables_of(FORM, 0))


def test_too_large_an_alphabet_is_refused() -> None:
    large = form_of(1, 2, 4, 17, "context", "rows")
    with pytest.raises(UsageError, match="takes 16 symbols, not 17"):
        make_coder(large, {})
    with pytest.raises(UsageError, match="takes 16 symbols, not 17"):
        tables_from(large, np.zeros((1, 8), np.uint8))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("sources", lambda value: value + np.uint16(4)),
        ("sources", lambda value: value[:, ::-1] * 0 + np.uint16(CONTEXT_LEFT)),
        ("zeros", lambda value: value * 0),
        ("zeros", lambda value: value * 0 + np.uint16(4096)),
        ("shift", lambda value: value * 0 + np.uint8(3)),
        ("table_of", lambda value: value + np.uint8(9)),
        ("contexts", lambda value: value[:, :, ::-1] * np.uint16(2)),
        ("contexts", lambda value: value[:0]),
        ("contexts", lambda value: value[:, :5]),
        ("sources", lambda value: value.astype(np.int32)),
    ],
)
def test_tables_that_do_not_fit_are_refused(name: str, change: object) -> None:
    assert callable(change)
    tables = context_tables_of(FORM, 3)
    tables[name] = change(tables[name])
    with pytest.raises(BundleError, match=r"codec\."):
        make_coder(FORM, tables)


def test_missing_tables_are_named() -> None:
    with pytest.raises(BundleError, match=r"no codec\.sources"):
        make_coder(FORM, {})


def test_zeros_that_a_flag_should_have_said_are_refused() -> None:
    """A row flagged as not all zero whose symbols are all zero: no encoder makes it."""
    form = PayloadFormat(0, 1, 1, 2, (0.0, 1.0), "context", order="rows")
    tables = context_tables_of(form, 1)
    tables["zeros"][:] = 2048
    tables["sources"][:] = [[0, CONTEXT_LEFT]]
    tables["contexts"][:] = 2048
    made = context.ContextTables(**tables)
    interval = context.Interval()
    interval.put([(2048, 2048), (2048, 2048), (0, 2048), (0, 2048)])
    with pytest.raises(CodecError, match="should have been one flag"):
        context.decode(interval.finish(), (1, 1, 2), made)
