"""A run over a link that loses is a run, and one figure more."""

from __future__ import annotations

from typing import Any

import pytest

from hil.experiments.measure import Context, Found
from hil.experiments.measures import run
from hil.experiments.measures.lossy import LOSSY, NO_OUTAGE

SETTINGS = {"scheme": "agilenn", "dataset": "digits", "radio": "wifi-6m", "n": 40}


def test_it_is_that_run_and_says_how_often_a_sample_was_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def stand_in(settings: dict[str, Any], context: Context) -> Found:
        asked.append(settings)
        figures = {"radio_retransmissions": 10, "samples": 40, "accuracy": 0.5}
        return Found(figures, {"energy_mj": "modelled"}, detail={"summary": {}})

    monkeypatch.setattr(run, "run", stand_in)
    losses = {"loss": 0.2, "burst": 8, "outage": NO_OUTAGE}
    found = LOSSY.function({**SETTINGS, **losses}, Context())
    assert asked == [{**SETTINGS, "radio": "wifi-6m:loss=0.2,burst=8"}]
    assert found.figures["retransmissions"] == 0.25
    assert found.figures["accuracy"] == 0.5
    assert found.sources == {"energy_mj": "modelled"}
    assert found.detail == {"summary": {}}
