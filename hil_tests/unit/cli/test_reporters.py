"""Which reporters a run has, and that one of them cannot spoil the others."""

from __future__ import annotations

import json

import pytest

from hil.cli.reporters import Fan, choose
from hil.session.events import Event, Warned
from hil_tests.unit.report.feed import SUMMARY, events


class Recorder:
    def __init__(self, fails: bool = False) -> None:
        self.fails = fails
        self.seen: list[Event] = []
        self.closed = 0

    def handle(self, event: Event) -> None:
        if self.fails:
            raise RuntimeError("broken")
        self.seen.append(event)

    def close(self) -> None:
        self.closed += 1


def test_json_has_standard_output_to_itself(capsys: pytest.CaptureFixture[str]) -> None:
    with choose(as_json=True, plain=False) as reporter:
        for event in events():
            reporter.handle(event)
    captured = capsys.readouterr()
    assert json.loads(captured.out) == SUMMARY
    assert "samples: 20/20" in captured.err


def test_without_a_terminal_lines_are_plain(capsys: pytest.CaptureFixture[str]) -> None:
    with choose(as_json=False, plain=False) as reporter:
        for event in events():
            reporter.handle(event)
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "run folder: /tmp/runs/twin-agilenn-digits" in out


def test_a_broken_reporter_is_dropped_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = Recorder(), Recorder(fails=True)
    with Fan(bad, good) as fan:
        fan.handle(Warned("a", "b"))
        fan.handle(Warned("c", "d"))
    assert len(good.seen) == 2
    assert (good.closed, bad.closed) == (1, 1)
    assert capsys.readouterr().err.count("Recorder was dropped") == 1


def test_reporters_are_closed_once_whoever_closes_them() -> None:
    recorder = Recorder()
    with Fan(recorder) as fan:
        fan.close()
    assert recorder.closed == 1
