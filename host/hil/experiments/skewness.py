"""The skewness that training aims at: what it costs in accuracy, and saves in bytes."""

from __future__ import annotations

from hil.experiments import common
from hil.experiments.beside import distinct, where
from hil.experiments.experiment import Chart, Column, Experiment, Variable
from hil.experiments.measures import trained
from hil.experiments.measures.skewing import SKEWING
from hil.experiments.result import Beside, CellResult

_LESS = 0.97
"""Bytes at the highest ρ over those at the lowest, from which on less is sent."""


def _beside(cells: tuple[CellResult, ...]) -> tuple[Beside, ...]:
    """The ends of the range."""
    found = []
    for dataset in distinct(cells, "dataset"):
        by_rho = sorted(where(cells, dataset=dataset), key=lambda cell: float(cell.value("rho")))
        if len(by_rho) > 1:
            found += [_bytes(by_rho[0], by_rho[-1], dataset), _reached(by_rho, dataset)]
    return tuple(found)


def _bytes(low: CellResult, high: CellResult, dataset: str) -> Beside:
    sent = [cell.figures["lzw_bytes"] for cell in (low, high)]
    zeros = [cell.figures["zero_share"] for cell in (low, high)]
    fewer, sparser = sent[1] < _LESS * sent[0], zeros[1] > zeros[0]
    word = "as in the paper" if fewer and sparser else "worse: not less to send"
    return Beside(
        f"payload by ρ, {dataset}",
        "higher ρ: the rest is sparser, and there is less to send",
        f"{sent[0]:.0f} B at ρ = {low.value('rho')}, {sent[1]:.0f} B at {high.value('rho')} (LZW); "
        f"lowest level {zeros[0]:.0%} and {zeros[1]:.0%} of the symbols",
        "as in the paper in bytes, not in zeros" if fewer and not sparser else word,
    )


def _reached(by_rho: list[CellResult], dataset: str) -> Beside:
    short = [cell for cell in by_rho if cell.figures["skewness"] < float(cell.value("rho")) - 0.01]
    accuracies = [cell.figures["accuracy"] for cell in by_rho]
    return Beside(
        f"skewness reached and accuracy, {dataset}",
        "about 83 % at ρ = 0.8 on CIFAR-100 (the authors' repository)",
        ", ".join(f"{cell.figures['skewness']:.0%} at ρ = {cell.value('rho')}" for cell in by_rho)
        + f"; accuracy {min(accuracies):.1%} to {max(accuracies):.1%}",
        "as in the paper" if not short else f"worse at ρ = {', '.join(str(c.value('rho')) for c in short)}",
    )


EXPERIMENT = Experiment(
    name="skewness",
    question="What does a higher target for skewness cost in accuracy, and save in bytes?",
    paper="Higher ρ makes the remote features sparser, so that there is less to send.",
    measure=SKEWING,
    varies=(Variable("rho", (0.5, 0.6, 0.7, 0.8, 0.9, 0.95), quick=(0.5, 0.8, 0.95), title="ρ"),),
    fixed={**trained.FIXED, "samples": 500},
    quick={**trained.SHORTER, "samples": 100},
    columns=(
        Column("rho", "ρ", "", 2),
        Column("skewness", "skewness", "%", 1),
        Column("skewness_fine", "16 intervals", "%", 1),
        Column("judge_accuracy", "judge", "%", 1),
        common.ACCURACY,
        Column("local_accuracy", "device alone", "%", 1),
        Column("zero_share", "zeros", "%", 1),
        Column("lzw_bytes", "LZW", "B", 0),
        Column("best_bytes", "best codec", "B", 0),
        Column("best_codec", "which is"),
    ),
    charts=(
        Chart("Payload against ρ", "rho", "lzw_bytes"),
        Chart("Accuracy against ρ", "rho", "accuracy"),
        Chart("Skewness achieved", "rho", "skewness"),
    ),
    beside=_beside,
)
"""Each ρ is a training of its own, of one seed. Where that takes hours (any data set but the digits) a ρ
without a bundle is a cell with the command that makes it, unless `train=true` asks for the hours."""
