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
SENDS_NOTHING = "mcunet"
_OPEN = "left open: network outage with a better local predictor"


def _excluded(settings: Settings) -> bool:
    """Bursts need losses; an outage and who sends nothing are looked at on a link that loses nothing else."""
    quiet, outage = not settings["loss"], settings["outage"] != NO_OUTAGE
    disturbed = outage or not quiet
    return bool(
        (settings["burst"] and quiet)
        or (outage and not quiet)
        or (settings["scheme"] == SENDS_NOTHING and disturbed)
    )


def _beside(cells: tuple[CellResult, ...]) -> tuple[Beside, ...]:
    """Who still answers in an outage, and under the heaviest losses in bursts."""
    found = []
    for dataset in distinct(cells, "dataset"):
        there = where(cells, dataset=dataset)
        alone = where(there, scheme=SENDS_NOTHING)
        dead = [cell for cell in there if cell.value("outage") != NO_OUTAGE] + alone
        bursts = [
            cell for cell in there if cell.value("burst") and cell.value("loss") == _most(there)
        ] + alone
        found += _row(f"accuracy with an outage of {OUTAGE}, {dataset}", dead, there)
        found += _row(f"accuracy at {_most(there):.0%} loss in bursts, {dataset}", bursts, there)
    return tuple(found)


def _most(cells: Cells) -> float:
    return max((float(cell.value("loss")) for cell in cells), default=0.0)


def _row(figure: str, cells: Cells, there: Cells) -> list[Beside]:
    if len(cells) < 2:
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
    calm = where(there, scheme=cell.value("scheme"), loss_by_chance=0.0)
    if not calm or calm[0] is cell:
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
        Chart("Accuracy, losses by chance", "loss_by_chance", "accuracy", "scheme"),
        Chart("Accuracy, losses in bursts", "loss_in_bursts", "accuracy", "scheme"),
        Chart("p99 latency, losses in bursts", "loss_in_bursts", "latency_p99_ms", "scheme"),
        Chart("Energy, losses in bursts", "loss_in_bursts", "energy_mj", "scheme"),
    ),
    beside=_beside,
)
"""Latencies are of the samples that were answered in some way, energy is of all."""
