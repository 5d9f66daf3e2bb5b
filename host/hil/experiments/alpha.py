"""The weight between local and remote answer: what training found, against weights that were fixed."""

from __future__ import annotations

from hil.experiments import common
from hil.experiments.beside import distinct, where
from hil.experiments.experiment import Chart, Column, Experiment, Variable
from hil.experiments.measure import Settings
from hil.experiments.measures import trained
from hil.experiments.measures.fusion import FUSION, REPLACED, TRAINED
from hil.experiments.measures.supply import TRAINED_AT_ONCE
from hil.experiments.result import Beside, CellResult

_UNEQUAL = (0.1, 0.9)
_HURTS = 0.01
"""Accuracy that a weight must cost to be called harmful."""


def _excluded(settings: Settings) -> bool:
    """Nobody trains for hours unasked."""
    waits = settings["dataset"] not in TRAINED_AT_ONCE and not settings["train"]
    return bool(settings["how"] == TRAINED and waits)


def _beside(cells: tuple[CellResult, ...]) -> tuple[Beside, ...]:
    """The most unequal weights against the one that training found."""
    found = []
    for dataset in distinct(cells, "dataset"):
        for how in distinct(cells, "how"):
            there = where(cells, dataset=dataset, how=how)
            learned, ends = where(there, fixed=False), [c for c in there if c.settings["alpha"] in _UNEQUAL]
            if learned and ends:
                found.append(_lost(learned[0], ends, f"{dataset}, α {how}"))
    return tuple(found)


def _lost(learned: CellResult, ends: list[CellResult], what: str) -> Beside:
    losses = {cell.value("alpha"): learned.figures["accuracy"] - cell.figures["accuracy"] for cell in ends}
    shown = ", ".join(f"{100 * loss:+.1f} points lost at {alpha:.1f}" for alpha, loss in losses.items())
    harmful = [alpha for alpha, loss in losses.items() if loss >= _HURTS]
    words = {0: "differs: neither end hurts", len(losses): "as in the paper"}
    at = ", ".join(f"{alpha:.1f}" for alpha in harmful)
    return Beside(
        f"accuracy at very unequal α, {what}",
        "very unequal α hurts",
        f"{learned.figures['accuracy']:.1%} at {learned.figures['alpha']:.2f}, as trained; {shown}",
        words.get(len(harmful), f"as in the paper at {at} alone"),
    )


EXPERIMENT = Experiment(
    name="alpha",
    question="What does accuracy lose where the fusion's weight is fixed instead of learned?",
    paper="Re-weighting: very unequal α hurts.",
    measure=FUSION,
    varies=(
        Variable("how", (REPLACED, TRAINED), title="α"),
        Variable("alpha", (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9), quick=(0.0, 0.1, 0.5, 0.9)),
    ),
    fixed={**trained.FIXED, "samples": 2000},
    quick=trained.SHORTER,
    excluded=_excluded,
    columns=(
        Column("how", "α is"),
        Column("fixed", "fixed"),
        Column("alpha", "α", "", 2),
        common.ACCURACY,
        Column("local_accuracy", "device alone", "%", 2),
        Column("remote_accuracy", "server alone", "%", 2),
        Column("skewness", "skewness", "%", 1),
        Column("samples", "samples", "", 0),
    ),
    charts=(Chart("Accuracy against α", "alpha", "accuracy", "how"),),
    beside=_beside,
)
"""α is the local half's share of the fused logits; 0.0 as a setting leaves the one that training found.
Replaced: in the finished bundle. Trained: fixed from the first step on, both halves trained around it."""
