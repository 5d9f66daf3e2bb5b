"""The dashboard at fixed sizes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hil.report.state import Dashboard
from hil.report.view import render
from hil.session.events import SampleFinished, StageProgress, StageStarted, Warned
from hil_tests.unit.report.feed import STARTED, events, picture, sample, state_after

FAILED = sample(0, outcome="failed", prediction=None, latency_ms=None, energy_mj=None)
SIZES = [(1, 1), (5, 2), (20, 5), (36, 7), (40, 10), (60, 24), (76, 12), (80, 24), (120, 40), (300, 90)]
STATES = {
    "nothing": Dashboard(),
    "preparing": state_after([StageStarted("train"), StageProgress("train", 3, 30, "epoch")]),
    "no sample yet": state_after(events(0, finished=False)),
    "running": state_after([*events(12, finished=False), Warned("w", "mind [this] one", "hint")]),
    "finished": state_after(events()),
    "all failed": state_after([STARTED, SampleFinished(FAILED)]),
}


def shown(state: Dashboard, width: int, height: int) -> list[str]:
    return picture(render(state, width, height, 99.0), width, height)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", STATES)
def test_it_fits_any_terminal(name: str, size: tuple[int, int]) -> None:
    width, height = size
    lines = shown(STATES[name], width, height)
    assert len(lines) <= height
    assert max(len(line) for line in lines) <= width


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_a_usual_terminal_shows_everything(size: tuple[int, int]) -> None:
    text = "\n".join(shown(STATES["running"], *size))
    for expected in (
        "agilenn on digits", "twin", "wifi-6m", "12/20", "accuracy 100.0 %", "float 100.0 %",
        "latency, ms", "local", "link", "remote", "fuse", "p50", "p95", "twin_cycles+modelled",
        "energy, mJ", "cpu", "radio", "idle", "periph", "179 KB of 1024 KB", "113 KB of 320 KB",
        "payload 900 B of 2000 B raw (45 %)", "wire 0, radio 0", "fallbacks 0", "1 → 1", "answered",
        "train", "build", "mind [this] one",
    ):  # fmt: skip
        assert expected in text


def test_a_run_that_sends_nothing_says_so() -> None:
    alone = [
        replace(STARTED, payload_raw_bytes=0),
        SampleFinished(sample(0, outcome="local", payload_bytes=0)),
    ]
    assert "payload – nothing is sent" in "\n".join(shown(state_after(alone), 80, 24))


def test_the_latest_sample_comes_first() -> None:
    rows = [line for line in shown(STATES["running"], 80, 24) if "→" in line]
    assert "12   1 → 1" in rows[0]
    assert "11   0 → 0" in rows[1]


def test_a_wrong_answer_and_a_fallback_are_marked() -> None:
    state = state_after([STARTED, SampleFinished(sample(4, prediction=9, outcome="fallback"))])
    (row,) = [line for line in shown(state, 80, 24) if "→" in line]
    assert "4 → 9   ✗ fallback" in row


def test_answers_from_a_prefix_are_counted_where_there_are_any() -> None:
    plain = "\n".join(shown(STATES["running"], 80, 24))
    cut = state_after([STARTED, *(SampleFinished(sample(n, prefix_channels=3)) for n in range(12))])
    text = "\n".join(shown(cut, 80, 24))
    assert "answered from a prefix: 12" in text
    assert "fallbacks 0   failures 0" in text
    assert "prefix" not in plain


def test_energy_that_nothing_knows_is_no_figure() -> None:
    state = state_after([STARTED, SampleFinished(sample(0, energy_mj=None))])
    assert any("neither measured nor modelled" in line for line in shown(state, 80, 24))


def test_a_small_terminal_keeps_what_matters_most() -> None:
    lines = shown(STATES["running"], 30, 4)
    assert lines[0].startswith("12/20")
    assert lines[1:3] == ["accuracy 100.0 %", "10.00 ms"]


def test_a_stage_in_progress_has_a_bar() -> None:
    text = "\n".join(shown(STATES["preparing"], 80, 24))
    assert "3/30 epoch" in text


def test_a_long_name_never_pushes_the_header_out() -> None:
    state = replace(STATES["running"], run=replace(STARTED, name="n" * 200))
    assert shown(state, 80, 24)[0].startswith("hil · agilenn on digits")
