"""Reporters: what is printed where, and when."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from hil.report import plain as plain_module
from hil.report.json_report import JsonReporter
from hil.report.live import LiveReporter
from hil.report.plain import PlainReporter
from hil.session.events import RunFinished, StageProgress, StageStarted, Warned
from hil_tests.unit.report.feed import SUMMARY, events


def plain_lines(feed: list, table: bool = True) -> list[str]:
    stream = io.StringIO()
    reporter = PlainReporter(Console(file=stream, width=80), table)
    for event in feed:
        reporter.handle(event)
    reporter.close()
    reporter.close()
    return stream.getvalue().splitlines()


def test_plain_says_a_line_for_each_stage_and_every_ten_samples() -> None:
    lines = plain_lines(events(), table=False)
    assert lines == [
        "train: agilenn on digits",
        "train: done from the cache",
        "build: twin",
        "build: done in 3.2 s",
        "run twin-agilenn-digits: agilenn on digits, board twin, radio wifi-6m, 20 samples",
        "samples: 10/20, accuracy 100.0 %, latency 10.00 ms",
        "samples: 20/20, accuracy 100.0 %, latency 10.00 ms",
    ]


def test_plain_takes_markup_in_a_message_literally() -> None:
    assert plain_lines([Warned("w", "see [bold]this[/x]", "do that")]) == [
        "warning: see [bold]this[/x] (do that)"
    ]


def test_plain_ends_with_the_table_once() -> None:
    lines = plain_lines(events())
    assert sum("accuracy " in line and "95.0 %" in line for line in lines) == 1
    assert lines[-1] == "run folder: /tmp/runs/twin-agilenn-digits"


def test_plain_tells_of_a_long_stage_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(range(0, 100, 2))
    monkeypatch.setattr(plain_module.time, "monotonic", lambda: float(next(times)))
    feed = [StageStarted("train"), *(StageProgress("train", i, 9, "epoch") for i in range(9))]
    lines = plain_lines(feed, table=False)
    assert 2 <= len([line for line in lines if "/9 epoch" in line]) <= 4


def test_json_prints_the_summary_and_nothing_else() -> None:
    stream = io.StringIO()
    reporter = JsonReporter(stream)
    for event in events():
        reporter.handle(event)
    assert stream.getvalue() == ""
    reporter.close()
    reporter.close()
    assert json.loads(stream.getvalue()) == SUMMARY


def test_json_refuses_what_json_cannot_hold() -> None:
    reporter = JsonReporter(io.StringIO())
    reporter.handle(RunFinished({"accuracy": float("nan")}))
    with pytest.raises(ValueError, match="JSON"):
        reporter.close()


def test_live_gives_the_screen_back_and_leaves_the_table() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=80, height=24, legacy_windows=False)
    reporter = LiveReporter(console)
    for event in events():
        reporter.handle(event)
    reporter.close()
    reporter.close()
    text = stream.getvalue()
    on, off = text.index("\x1b[?1049h"), text.index("\x1b[?1049l")
    assert on < off < text.index("run folder: ")
    assert text.count("run folder: ") == 1
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # and the cursor
