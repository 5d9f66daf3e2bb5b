"""A cell is a run: the same figures, whoever serves it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.experiments.measure import Context
from hil.experiments.measures import run
from hil.experiments.measures.run import DEFAULTS, RUN
from hil_tests.twin import firmware

pytestmark = [pytest.mark.twin, pytest.mark.slow]

SETTINGS = {"scheme": "agilenn", "dataset": "digits", "n": 4, "codec": "own", "kernels": "plain"}


@pytest.fixture(autouse=True)
def compiler() -> None:
    if not firmware.have_compiler():
        pytest.skip(f"{firmware.GCC} is not on PATH")


def test_a_cell_has_the_figures_of_a_run_with_a_server_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inline = RUN.function(SETTINGS, Context())
    monkeypatch.setattr(run, "_serve", None)  # the pipeline's own: a process
    assert RUN.function(SETTINGS, Context()).figures == inline.figures
    assert inline.figures["agreement"] == 1.0
    assert inline.figures["samples"] == 4
    assert inline.sources["local_ms"] == "twin_cycles"
    assert inline.sources["remote_ms"] == "modelled"


def test_a_narrower_link_costs_time_and_no_answer() -> None:
    wide = RUN.function(SETTINGS, Context()).figures
    narrow = RUN.function({**SETTINGS, "bandwidth_kbps": 270}, Context()).figures
    assert narrow["link_ms"] > wide["link_ms"]
    assert narrow["accuracy"] == wide["accuracy"]
    assert narrow["payload_bytes"] == wide["payload_bytes"]
    assert DEFAULTS["radio"] == "wifi-6m"
