"""`hil bench server`: its forms of output, and what it asks the benchmark for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hil.bench import server
from hil.bench.serving.bare import BareRate
from hil.cli import main


def point(rate: float | None) -> server.Point:
    return server.Point(8, rate, 100.0, 0.5, 0.4, 0.6, 5.0, 20.0, 3.0, 0.97, 0.03, 0.0, 4.5, 300.0)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[server.Settings]:
    asked: list[server.Settings] = []

    def measure(bundle: Path, settings: server.Settings, progress: Any) -> server.ServerReport:
        asked.append(settings)
        memory = None
        if settings.minutes:
            memory = server.MemoryRun(50.0, 3000, (0.0, 5.0, 10.0, 15.0, 20.0, 25.0), (300.0,) * 5 + (301.0,))
        points = tuple(map(point, settings.rates_per_s))
        bare = BareRate(200.0, 150.0, 0.25)
        return server.ServerReport(
            "agilenn", "digits", "00", 170.0, settings, bare, point(None), points, memory
        )

    monkeypatch.setattr(server, "measure", measure)
    return asked


def test_a_row_is_a_load(measured: list[server.Settings], capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--devices", "8", "--rate", "40", "--rate", "80", "--max-delay-ms", "0", "--markdown"]
    assert main(["bench", "server", "--bundle", "b", *given]) == 0
    out = capsys.readouterr().out
    assert "| 8 | as answered | 100 | 50% | 60% | 5.0 | 20.0 | 3.0 | 4.5 | 97.0% | 3.0% | 300.0 |" in out
    assert "| 8 | 80 |" in out
    assert "Bare forward pass, batches of 32: 200/s" in out
    assert (measured[0].devices, measured[0].delay_ms, measured[0].rates_per_s) == (8, 0.0, (40.0, 80.0))


def test_json_has_the_slope_of_memory(
    measured: list[server.Settings], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "server", "--bundle", "b", "--minutes", "1", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["memory"]["slope_kb_per_minute"] == pytest.approx(6000)
    assert report["saturation"]["offered_per_s"] is None


def test_a_terminal_gets_a_table(measured: list[server.Settings], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "server", "--bundle", "b", "--minutes", "1"]) == 0
    out = capsys.readouterr().out
    assert "agilenn on digits" in out
    assert "kB a minute" in out.replace("\n", " ")


def test_two_forms_at_once_are_refused(measured: list[server.Settings]) -> None:
    assert main(["bench", "server", "--bundle", "b", "--json", "--markdown"]) == 2
    assert not measured
