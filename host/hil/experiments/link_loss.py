"""A link that loses frames: by chance, in bursts, and all of them for a part of the run."""

from __future__ import annotations

from hil.experiments import common
from hil.experiments.beside import Cells, distinct, where
from hil.experiments.experiment import Chart, Column, Experiment, Variable
from hil.experiments.measure import Settings
from hil.experiments.measures.lossy import LOSSY, NO_OUTAGE
from hil.experiments.result import Beside, CellResult

BURST = 8
"""Tries in a row: as many as the radio makes of a packet, so that a mean burst loses a message."""
OUTAGE = "40%+20%"
_OPEN = "left open: network outage with a better local predictor"


def _excluded(settings: Settings) -> bool:
    """An outage is looked at on a link that loses nothing else."""
    return bool(settings["outage"] != NO_OUTAGE and (settings["loss"] or settings["burst"]))


def _beside(cells: tuple[CellResult, ...]) -> tuple[Beside, ...]:
    """Who still answers in an outage, and under the heaviest losses in bursts."""
    found = []
    for dataset in distinct(cells, "dataset"):
        there = where(cells, dataset=dataset)
        dead = [cell for cell in there if cell.value("outage") != NO_OUTAGE]
        most = max(float(cell.value("loss")) for cell in there)
        bursts = [cell for cell in there if cell.value("burst") and cell.value("loss") == most > 0]
        found += _row(f"accuracy with an outage of {OUTAGE}, {dataset}", dead, there)
        found += _row(f"accuracy at {most:.0%} loss in bursts, {dataset}", bursts, there)
    return tuple(found)


def _row(figure: str, cells: Cells, there: Cells) -> list[Beside]:
    if not cells:
        return []
    best = max(cells, key=lambda cell: float(cell.value("accuracy")))
    shown = ", ".join(f"{_name(cell)} {cell.value('accuracy'):.1%}{_drop(cell, there)}" for cell in cells)
    silent = [_name(cell) for cell in cells if cell.value("failed")]
    words = f"without an answer at times: {', '.join(silent)}" if silent else "everybody answers"
    return [Beside(figure, _OPEN, shown, f"beyond the paper; {_name(best)} is best; {words}")]


def _name(cell: CellResult) -> str:
    return str(cell.value("scheme"))


def _drop(cell: CellResult, there: Cells) -> str:
    """Points against the same scheme on a link that loses nothing."""
    calm = where(there, scheme=cell.value("scheme"), loss=0.0, burst=0, outage=NO_OUTAGE)
    if not calm:
        return ""
    return f" ({round(100 * (cell.value('accuracy') - calm[0].value('accuracy')), 1) + 0.0:+.1f})"


EXPERIMENT = Experiment(
    name="link-loss",
    question="What do answers cost, and which are left, when the link loses frames?",
    paper=f"Nothing measured; {_OPEN}.",
    measure=LOSSY,
    varies=(
        common.SCHEME,
        Variable("loss", (0.0, 0.05, 0.1, 0.2, 0.3), quick=(0.0, 0.3), title="loss"),
        Variable("burst", (0, BURST), title="burst, tries (0: chance)"),
        Variable("outage", (NO_OUTAGE, OUTAGE)),
    ),
    fixed={**common.RUN_FIXED, "n": 200, "deadline_ms": 60.0},
    quick={"n": 50},
    excluded=_excluded,
    columns=(
        common.SCHEME_COLUMN,
        Column("loss", "loss", "%", 0),
        Column("burst", "burst", "", 0),
        Column("outage", "outage"),
        common.ACCURACY,
        Column("answered", "answered", "%", 1),
        Column("fallback", "fell back", "%", 1),
        Column("local", "local", "%", 1),
        Column("failed", "failed", "%", 1),
        Column("latency_p50_ms", "p50", "ms", 2),
        Column("latency_p99_ms", "p99", "ms", 2),
        common.ENERGY,
        Column("retransmissions", "repeats a sample", "", 2),
    ),
    charts=(
        Chart("Accuracy against losses", "loss", "accuracy", "scheme"),
        Chart("p99 latency against losses", "loss", "latency_p99_ms", "scheme"),
        Chart("Energy against losses", "loss", "energy_mj", "scheme"),
    ),
    beside=_beside,
)
"""Latencies are of the samples that were answered in some way, energy is of all. Cells that come to the same
run, as bursts of no losses do, or any link of a scheme that sends nothing, are measured once."""
