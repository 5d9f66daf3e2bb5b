"""How AgileNN's training converges, and what its attributions cost, against a standard network's."""

from __future__ import annotations

from hil.experiments import common
from hil.experiments.beside import EQUAL, distinct, times, where
from hil.experiments.experiment import Chart, Column, Experiment, Variable
from hil.experiments.measures import trained
from hil.experiments.measures.convergence import CONVERGENCE, STANDARD, WAYS
from hil.experiments.result import Beside, CellResult

_PAPERS = "ig-1"
_LATER = 1.25
"""Times as many epochs, to be called later."""
_DEAR = 1.1
"""Times the step without attribution, to be called dear."""
_CHEAPER = ("reused", "every-2", "every-4", "every-8")


def _beside(cells: tuple[CellResult, ...]) -> tuple[Beside, ...]:
    """The paper's attribution against the standard network, then what saves some of its price."""
    found: list[Beside] = []
    for dataset in distinct(cells, "dataset"):
        there = where(cells, dataset=dataset)
        for ours in where(there, way=_PAPERS):
            found += [_convergence(ours, standard, dataset) for standard in where(there, way=STANDARD)]
            found.append(_overhead(ours, [cell for cell in there if cell.value("way") in _CHEAPER], dataset))
    return tuple(entry for entry in found if entry.ours)


def _convergence(ours: CellResult, standard: CellResult, dataset: str) -> Beside:
    told, words = [], []
    if (epochs := _both(ours, standard, "settled_epoch")) is not None:
        told.append(f"settled after {epochs[0]:.0f} epochs against {epochs[1]:.0f}")
        words += ["worse: settles later"] * (epochs[0] > _LATER * epochs[1])
    if (accuracy := _both(ours, standard, "accuracy")) is not None:
        told.append(f"accuracy {accuracy[0]:.1%} against {accuracy[1]:.1%}")
        lost = accuracy[1] - accuracy[0]
        words += [f"worse: {100 * lost:.1f} points less accurate"] * (lost > EQUAL)
    return Beside(
        f"convergence against MobileNetV2, {dataset}",
        "training converges, and no accuracy is lost",
        ", ".join(told),
        "; ".join(words) or "as in the paper",
    )


def _both(ours: CellResult, standard: CellResult, figure: str) -> tuple[float, float] | None:
    """Of both networks; None where one was not trained."""
    own, plain = ours.figures.get(figure), standard.figures.get(figure)
    return None if own is None or plain is None else (float(own), float(plain))


def _overhead(ours: CellResult, cheaper: list[CellResult], dataset: str) -> Beside:
    uncut, cut = ours.figures["over_standard"], ours.figures["over_cut"]
    parts = [f"{times(uncut)} the uncut network's, {times(cut)} the cut one's without"]
    parts += [f"{cell.value('way')} {times(cell.figures['over_cut'])}" for cell in cheaper]
    least = min((cell.figures["over_cut"] for cell in cheaper), default=cut)
    word = "as in the paper: dear" if cut > _DEAR else "better: hardly dearer"
    word += ", and cheaper by what it names as open" if least < cut else ""
    return Beside(
        f"a training step with attribution, {dataset}",
        "gradients of gradients are expensive; fewer of them, or the task's own, are left open",
        "; ".join(parts),
        word,
    )


EXPERIMENT = Experiment(
    name="convergence",
    question="How does AgileNN's training converge, and what does attribution cost it, beside MobileNetV2's?",
    paper="Convergence and training cost against MobileNetV2; gradients of gradients can be expensive, "
    "cheaper attribution is named as open.",
    measure=CONVERGENCE,
    varies=(
        Variable("way", tuple(WAYS), quick=(STANDARD, "none", "reused", "saliency", _PAPERS, "every-4")),
    ),
    fixed={**trained.FIXED, "size": "full", "rounds": 3},
    quick=trained.SHORTER,
    columns=(
        Column("way", "way"),
        Column("title", "what it is"),
        common.ACCURACY,
        Column("skewness", "skewness", "%", 1),
        Column("judge_accuracy", "judge", "%", 1),
        Column("settled_epoch", "settled after", "epochs", 0),
        Column("epoch_s", "an epoch", "s", 2),
        Column("step_ms", "a step", "ms", 1),
        Column("over_cut", "over the cut one's", "×", 2),
        Column("over_standard", "over MobileNetV2's", "×", 2),
    ),
    charts=(
        Chart("Accuracy by epoch", "epoch", "accuracy_by_epoch", "way"),
        Chart("Task loss by epoch", "epoch", "loss_by_epoch", "way"),
        Chart("Skewness by epoch", "epoch", "skewness_by_epoch", "way"),
        Chart("A training step", "way", "step_ms", kind="bars"),
    ),
    beside=_beside,
)
"""MobileNetV2 is edge_only's network: AgileNN's server half behind a stem that takes the whole image, by the
same recipe and cross-entropy alone, with a tenth of label smoothing, which its loss shows. On the digits both
are small: three stages instead of seven. Steps are those of synthetic images, on one thread; on any data set
but the digits with a batch of 16, since the full recipe is meant for a GPU."""
