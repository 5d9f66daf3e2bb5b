"""Integrated gradients against gradient saliency: what they say, and what networks trained by them become."""

from __future__ import annotations

from hil.experiments import common
from hil.experiments.beside import EQUAL, distinct, times, where
from hil.experiments.experiment import Chart, Column, Experiment, Variable
from hil.experiments.measure import Settings
from hil.experiments.measures import trained
from hil.experiments.measures.explaining import EXPLAINING, FINISHED, TRAINED
from hil.experiments.measures.supply import TRAINED_AT_ONCE
from hil.experiments.result import Beside, CellResult

_PAPERS, _SALIENCY = "ig-1", "saliency"
_TRAINABLE = (_SALIENCY, _PAPERS, "ig-4")
_SAME_ORDER = 0.9
_SAME_SKEWNESS = 0.05


def _excluded(settings: Settings) -> bool:
    """No network is trained by the others; and nobody trains for hours unasked."""
    if settings["network"] != TRAINED:
        return False
    waits = settings["dataset"] not in TRAINED_AT_ONCE and not settings["train"]
    return bool(waits or settings["method"] not in _TRAINABLE)


def _beside(cells: tuple[CellResult, ...]) -> tuple[Beside, ...]:
    found = []
    for dataset in distinct(cells, "dataset"):
        for network, judge in ((FINISHED, _saying), (TRAINED, _becoming)):
            there = where(cells, dataset=dataset, network=network)
            pair = [where(there, method=method) for method in (_PAPERS, _SALIENCY)]
            found += [judge(ours, other, dataset) for ours, other in zip(*pair, strict=False)]
    return tuple(found)


def _saying(ours: CellResult, other: CellResult, dataset: str) -> Beside:
    """Of one network: whether both put its channels in the same order."""
    order = [cell.figures["rank_correlation"] for cell in (ours, other)]
    top = [cell.figures["top_agreement"] for cell in (ours, other)]
    word = "as in the paper" if order[1] >= _SAME_ORDER else "differs: saliency orders the channels otherwise"
    return Beside(
        f"what both say of a finished network, {dataset}",
        "little difference",
        f"order of channels like the finest integrated gradients': {order[0]:.2f} by {_PAPERS}, "
        f"{order[1]:.2f} by saliency; of its top channels {top[0]:.0%} and {top[1]:.0%}; {_PAPERS} takes "
        f"{times(ours.figures['over_saliency'])} saliency's time",
        word,
    )


def _becoming(ours: CellResult, other: CellResult, dataset: str) -> Beside:
    """Of two networks, each trained by one of them."""
    accuracy, skewness, sent = (
        [cell.figures[name] for cell in (ours, other)]
        for name in ("accuracy", "skewness_fine", "payload_bytes")
    )
    apart = abs(accuracy[0] - accuracy[1]) > EQUAL, abs(skewness[0] - skewness[1]) > _SAME_SKEWNESS
    named = " and ".join(name for name, far in zip(("accuracy", "skewness"), apart, strict=True) if far)
    return Beside(
        f"training by {_PAPERS} and by saliency, {dataset}",
        "little difference",
        f"accuracy {accuracy[0]:.1%} and {accuracy[1]:.1%}, skewness {skewness[0]:.0%} and "
        f"{skewness[1]:.0%} by 16 intervals, payload {sent[0]:.0f} and {sent[1]:.0f} B",
        f"differs in {named}" if named else "as in the paper",
    )


EXPERIMENT = Experiment(
    name="xai",
    question="Does it matter by which attribution importance is measured, and skewed?",
    paper="Integrated gradients against gradient saliency: little difference.",
    measure=EXPLAINING,
    varies=(
        Variable("network", (FINISHED, TRAINED)),
        Variable(
            "method",
            (_SALIENCY, "gradient-input", _PAPERS, "ig-2", "ig-4", "ig-8", "ig-32"),
            quick=(_SALIENCY, _PAPERS, "ig-8"),
        ),
    ),
    fixed={**trained.FIXED, "samples": 128, "rounds": 3},
    quick={**trained.SHORTER, "samples": 64},
    excluded=_excluded,
    columns=(
        Column("network", "network"),
        Column("method", "method"),
        Column("skewness", "skewness", "%", 1),
        Column("skewness_fine", "16 intervals", "%", 1),
        Column("disorder", "disorder", "", 3),
        Column("rank_correlation", "order", "", 2),
        Column("top_agreement", "top", "%", 0),
        common.ACCURACY,
        common.PAYLOAD,
        Column("sample_ms", "a sample", "ms", 2),
        Column("step_ms", "a training step", "ms", 1),
    ),
    charts=(
        Chart("Importance by channel", "channel", "importance", "method"),
        Chart("What it costs", "method", "sample_ms", kind="bars"),
    ),
    beside=_beside,
)
"""Finished: the bundle that is there, judged by its own fused cross-entropy, since the reference network of
its training is no part of it. Trained: networks whose attribution losses used the method, judged by their
reference: `skewness` by the method itself, by 16 intervals alike for all. `order` (Spearman) and `top` (the
share of the most important channels that agree) are against 32 intervals, the finest."""
