"""Statistics, formats, bars and sparklines: small pure functions."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.report import format as fmt
from hil.report import glyphs as g
from hil.report import statistics as stats
from hil.report.bars import cells, gauge, stacked
from hil.report.sparkline import sparkline
from hil_tests.unit.report.feed import events, state_after

AMOUNTS = st.lists(st.floats(0, 1e6), min_size=1, max_size=6)


@pytest.mark.parametrize(("percent", "value"), [(50, 3), (95, 5), (0, 1), (100, 5)])
def test_a_percentile_is_a_value_that_occurred(percent: float, value: float) -> None:
    assert stats.percentile([5, 3, 1, 4, 2], percent) == value


def test_nothing_has_no_spread_and_no_ratio() -> None:
    assert stats.spread([]) is None
    assert stats.ratio(0, 0) is None


def test_the_time_left_follows_the_pace_so_far() -> None:
    state = state_after(events(10, finished=False), step_s=1.0)
    now_s = state.run_began_s + 10.0
    assert stats.rate_per_s(state, now_s) == pytest.approx(1.0)
    assert stats.eta_s(state, now_s) == pytest.approx(10.0)


def test_before_the_first_sample_no_time_is_promised() -> None:
    assert stats.eta_s(state_after(events(0, finished=False)), 99.0) is None


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.0, "0.000"), (1.2345, "1.234"), (12.345, "12.35"), (12345.6, "12346")]
)
def test_figures_keep_four_significant_digits(value: float | None, text: str) -> None:
    assert fmt.figure(value) == text


def test_other_formats() -> None:
    assert (fmt.percent(0.8333), fmt.percent(None)) == ("83.3 %", "–")
    assert (fmt.size(900), fmt.size(1 << 20), fmt.size(None)) == ("900 B", "1024 KB", "–")
    assert (fmt.duration(1.26), fmt.duration(61), fmt.duration(3661)) == ("1.3 s", "1:01", "1:01:01")
    assert (fmt.cropped("abcdef", 4), fmt.cropped("ab", 4), fmt.cropped("abc", 0)) == ("abc…", "ab", "")


@given(AMOUNTS, st.integers(0, 200))
def test_the_parts_of_a_stacked_bar_fill_it_exactly(amounts: list[float], width: int) -> None:
    shared = cells(amounts, width)
    assert all(count >= 0 for count in shared)
    assert sum(shared) == (width if sum(amounts) > 0 else 0)


def test_parts_are_told_apart_without_colour() -> None:
    assert stacked({"local": 1, "link": 1, "remote": 1, "fuse": 1}, 8).plain == "██▓▓▒▒░░"


@given(st.floats(-1, 2), st.integers(1, 100))
def test_a_gauge_is_as_wide_as_asked(share: float, width: int) -> None:
    assert gauge(share, width, "").cell_len == width


def test_a_gauge_shows_the_least_use() -> None:
    assert gauge(0.0001, 10, "").plain.count(g.FULL) == 1
    assert gauge(0.0, 10, "").plain.count(g.FULL) == 0


def test_a_sparkline_shows_the_latest_values_between_their_extremes() -> None:
    assert sparkline([9, 9, 0, 1, 2], 3) == "▁▅█"
    assert sparkline([4, 4, 4], 10) == "▁▁▁"
    assert sparkline([], 10) == sparkline([1], 0) == ""


@pytest.mark.parametrize("glyph", [*g.STAND_INS, *g.SPARKS, *g.PARTS, *g.SPINNER, g.DONE, g.WRONG, g.ARROW])
def test_every_glyph_has_an_ascii_stand_in_of_the_same_width(glyph: str) -> None:
    stand_in = g.stand_in(glyph)
    assert stand_in.isascii()
    assert len(stand_in) == 1
    assert stand_in != "?"


def test_a_stream_without_unicode_gets_stand_ins() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    g.use_stand_ins(stream)
    stream.write("7 → 7 ✓ 中")
    stream.flush()
    assert raw.getvalue() == b"7 > 7 + ?"
