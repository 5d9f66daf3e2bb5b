"""Results of experiments that never were made."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from hil.experiments.experiment import Chart, Column
from hil.experiments.result import FILE, Beside, CellError, CellResult, Result

SCHEMES, BANDWIDTHS = ("agilenn", "deepcod"), (270, 1000, 6000)


def cell(scheme: str, bandwidth: int, at: int) -> CellResult:
    """One that was measured."""
    return CellResult(
        {"dataset": "digits", "scheme": scheme, "bandwidth_kbps": bandwidth},
        f"key{at}",
        {"latency_mean_ms": 10.0 / (at + 1), "accuracy": 0.9 + 0.01 * at, "payload_bytes": 80},
        {"latency_mean_ms": "twin_cycles"},
        {"loss": [2.0, 1.0, 0.5 + at]},
        seconds=1.5,
    )


def result(**changes: Any) -> Result:
    """Two schemes over three bandwidths; the last cell has failed."""
    pairs = [(scheme, bandwidth) for scheme in SCHEMES for bandwidth in BANDWIDTHS]
    cells = [cell(scheme, bandwidth, at) for at, (scheme, bandwidth) in enumerate(pairs)]
    cells[-1] = replace(
        cells[-1], figures={}, sources={}, curves={}, error=CellError("bundle", "no bundle", "train it")
    )
    made = Result(
        name="bandwidth",
        question="How does latency follow the link's bandwidth?",
        paper="AgileNN's lead grows as the link narrows.",
        measure="run",
        quick=False,
        command="hil experiment bandwidth",
        variables={"scheme": SCHEMES, "bandwidth_kbps": BANDWIDTHS},
        fixed={"dataset": "digits", "n": 20},
        columns=(
            Column("scheme", "scheme"),
            Column("bandwidth_kbps", "bandwidth", "kbit/s", 0),
            Column("latency_mean_ms", "latency", "ms", 2),
            Column("accuracy", "accuracy", "%", 1),
        ),
        charts=(
            Chart("Latency", "bandwidth_kbps", "latency_mean_ms", "scheme", log_x=True),
            Chart("Accuracy against latency", "latency_mean_ms", "accuracy", "scheme", "scatter"),
            Chart("Payload", "scheme", "payload_bytes", kind="bars"),
            Chart("Loss", "epoch", "loss", "scheme"),
            Chart("Nothing", "bandwidth_kbps", "no_such_figure"),
        ),
        cells=tuple(cells),
        beside=(Beside("latency of deepcod over AgileNN's", "2 to 2.5×", "0.8×", "worse"),),
        provenance={"time_utc": "2026-01-02T03:04:05+00:00", "hil": "0.1.0"},
    )
    return replace(made, **changes)


def write_result(folder: Path, made: Result | None = None) -> Path:
    folder.mkdir(parents=True)
    (folder / FILE).write_text(json.dumps((made or result()).to_json()))
    return folder
