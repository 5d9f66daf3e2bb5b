"""How good an answer is after how long: progressive payloads beside whole ones, local answers beside none."""

from __future__ import annotations

from hil.experiments import common
from hil.experiments.beside import Cells, distinct, where
from hil.experiments.experiment import Chart, Column, Experiment, Variable
from hil.experiments.measures.variant_run import VARIANT_RUN
from hil.experiments.result import Beside, CellResult

RADIO = "ble-270k:mtu=20"
"""The paper's narrow band, in the packets of Bluetooth 4.0 and 4.1: 27 bytes behind the link layer's header,
of which L2CAP and ATT leave 20. A payload of a few hundred bytes comes bit by bit."""
CLOSE = 0.02
"""Below the best accuracy that a variant reaches: as good as that."""
_NOTHING = "nothing measured"


def _beside(cells: tuple[CellResult, ...]) -> tuple[Beside, ...]:
    """Accuracy at the shortest deadline, over all, and from when on an answer is as good as it gets."""
    found = []
    for dataset in distinct(cells, "dataset"):
        there = where(cells, dataset=dataset)
        names = distinct(there, "variant")
        first = min(cell.value("deadline_ms") for cell in there)
        at_once = {name: _mean(where(there, variant=name, deadline_ms=first)) for name in names}
        over_all = {name: _mean(where(there, variant=name)) for name in names}
        found += [
            Beside(f"accuracy at {first:g} ms, {dataset}", _NOTHING, _shares(at_once), _best(at_once)),
            Beside(
                f"accuracy, mean over the deadlines, {dataset}", _NOTHING, _shares(over_all), _best(over_all)
            ),
            Beside(
                f"deadline from which on accuracy is within {100 * CLOSE:.0f} points of its best, {dataset}",
                _NOTHING,
                ", ".join(f"{name} {_soonest(where(there, variant=name)):g} ms" for name in names),
                "beyond the paper",
            ),
        ]
    return tuple(found)


def _mean(cells: Cells) -> float:
    return sum(float(cell.value("accuracy")) for cell in cells) / len(cells) if cells else 0.0


def _shares(accuracies: dict[str, float]) -> str:
    return ", ".join(f"{name} {accuracy:.1%}" for name, accuracy in accuracies.items())


def _best(accuracies: dict[str, float]) -> str:
    return f"beyond the paper; {max(accuracies, key=lambda name: accuracies[name])} is best"


def _soonest(cells: Cells) -> float:
    best = max(float(cell.value("accuracy")) for cell in cells)
    return min(float(cell.value("deadline_ms")) for cell in cells if cell.value("accuracy") >= best - CLOSE)


EXPERIMENT = Experiment(
    name="deadline",
    question="How good is the answer that is there when the deadline comes?",
    paper="Nothing measured; a better local predictor for when the server is not heard is left open.",
    measure=VARIANT_RUN,
    varies=(
        Variable("variant", ("agilenn-range", "agilenn-progressive", "deepcod", "spinn", "edge_only")),
        Variable(
            "deadline_ms",
            (10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 25.0, 30.0, 40.0, 50.0, 70.0, 100.0, 130.0, 180.0, 250.0),
            quick=(10.0, 14.0, 18.0, 70.0),
            title="deadline",
        ),
    ),
    fixed={
        **{name: value for name, value in common.RUN_FIXED.items() if name != "deadline_ms"},
        "radio": RADIO,
        "codec": "own",
        "short": False,
    },
    quick={"n": 40, "short": True},
    columns=(
        Column("variant", "variant"),
        Column("deadline_ms", "deadline", "ms", 0),
        common.ACCURACY,
        Column("answered", "answered", "%", 1),
        Column("prefix_share", "of it in part", "%", 1),
        Column("fallback", "fell back", "%", 1),
        Column("local", "local", "%", 1),
        Column("failed", "failed", "%", 1),
        Column("latency_p50_ms", "p50", "ms", 2),
        Column("latency_p99_ms", "p99", "ms", 2),
        common.PAYLOAD,
        common.ENERGY,
    ),
    charts=(
        Chart("Accuracy against deadline", "deadline_ms", "accuracy", "variant", log_x=True),
        Chart("Answered in time", "deadline_ms", "answered", "variant", log_x=True),
        Chart("Energy", "deadline_ms", "energy_mj", "variant", log_x=True),
    ),
    beside=_beside,
)
"""A deadline counts from the payload's first bit. Codecs are the variants' own."""
