"""Our figures beside the paper's, and the plain word between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from hil.experiments.common import OFFLOADING, OURS, SCHEMES
from hil.experiments.experiment import Judge
from hil.experiments.result import Beside, CellResult

Cells = Sequence[CellResult]

OFFLOADING_LATENCY: Final = (2.0, 2.5)
"""AgileNN, abstract: end-to-end latency 2 to 2.5 times below the offloading rivals'."""
BEST_LATENCY: Final = (1.0, 6.0)
"""AgileNN: up to 6 times below, at best."""
LOCAL_RESOURCES: Final = 8.0
"""AgileNN: more than 8 times lower local resource consumption."""

CLOSE: Final = 0.05
"""A ratio no further from 1 than that tells nothing."""
AT_EQUAL: Final = "at equal accuracy"
EQUAL: Final = 0.01
"""Accuracies no further apart than that are called equal."""


def where(cells: Iterable[CellResult], **wanted: Any) -> list[CellResult]:
    """Cells with these settings or figures."""
    return [cell for cell in cells if all(cell.value(name) == value for name, value in wanted.items())]


def distinct(cells: Iterable[CellResult], name: str) -> list[Any]:
    """The values of a setting, in the order of the cells."""
    return list(dict.fromkeys(cell.value(name) for cell in cells))


def ratio(rival: CellResult, ours: CellResult, figure: str) -> float | None:
    """How many times our figure the rival's is; None where one is missing or ours is 0."""
    above, below = rival.value(figure), ours.value(figure)
    return None if above is None or not below else float(above) / float(below)


def word(value: float, low: float, high: float) -> str:
    """What a ratio is beside the paper's range."""
    if value < 1:
        return "worse: the rival is ahead"
    if value < low:
        return "worse than the paper"
    return "better than the paper" if value > high else "as in the paper"


def times(value: float) -> str:
    """A ratio as one reads it."""
    return f"{value:.1f}×" if value >= 1.95 else f"{value:.2f}×"


def latency_against_rivals(axis: str, unit: str) -> Judge:
    """A judge of latency ratios along `axis`, for each rival."""

    def judge(cells: tuple[CellResult, ...]) -> tuple[Beside, ...]:
        found: list[Beside] = []
        for dataset in distinct(cells, "dataset"):
            for rival in [scheme for scheme in SCHEMES if scheme != OURS]:
                pairs = _pairs(where(cells, dataset=dataset), rival, axis)
                found += _along(dataset, rival, pairs, unit)
        return tuple(found)

    return judge


def _pairs(cells: Cells, rival: str, axis: str) -> list[tuple[Any, float]]:
    """(value on the axis, latency ratio), in order."""
    pairs = []
    for at in distinct(cells, axis):
        ours, theirs = (where(cells, scheme=scheme, **{axis: at}) for scheme in (OURS, rival))
        if ours and theirs and (times_ours := ratio(theirs[0], ours[0], "latency_mean_ms")) is not None:
            pairs.append((at, times_ours))
    return sorted(pairs)


def _along(dataset: str, rival: str, pairs: list[tuple[Any, float]], unit: str) -> list[Beside]:
    if not pairs:
        return []
    low, high = BEST_LATENCY if rival == "mcunet" else OFFLOADING_LATENCY
    shown = ", ".join(f"{times(value)} at {at:g} {unit}" for at, value in pairs)
    words = list(dict.fromkeys(word(value, low, high) for _, value in pairs))
    return [
        Beside(
            f"latency of {rival} over AgileNN's, {dataset}",
            "up to 6×" if rival == "mcunet" else "2 to 2.5×",
            shown,
            "; ".join(words),
        )
    ]


def systems_against_rivals(cells: tuple[CellResult, ...]) -> tuple[Beside, ...]:
    """Latency and energy of every rival over AgileNN's, with what separates their accuracies.

    AgileNN with a coarser payload is held against rivals of equal accuracy alone.
    """
    found: list[Beside] = []
    for dataset in distinct(cells, "dataset"):
        for radio in distinct(cells, "radio"):
            there = where(cells, dataset=dataset, radio=radio)
            for ours in where(there, scheme=OURS):
                rivals = [cell for cell in there if cell.value("scheme") != OURS]
                for rival in rivals:
                    if _thinning(ours) == 1 or accuracy_gap(rival, ours) == AT_EQUAL:
                        found += _system(rival, ours)
    return tuple(found)


def _thinning(cell: CellResult) -> int:
    return int(cell.value("thinning") or 1)


def _called(cell: CellResult, name: str) -> str:
    """The scheme, and how coarse its payload is."""
    return name if _thinning(cell) == 1 else f"{name} (1 in {_thinning(cell)} levels)"


def _system(rival: CellResult, ours: CellResult) -> list[Beside]:
    scheme, dataset, radio = (rival.value(name) for name in ("scheme", "dataset", "radio"))
    offloads = scheme in OFFLOADING
    low, high = OFFLOADING_LATENCY if offloads else BEST_LATENCY
    claims = {"latency": "2 to 2.5×" if offloads else "up to 6×", "energy": "lower"}
    found = []
    for what, figure in (("latency", "latency_mean_ms"), ("energy", "energy_mj")):
        if (value := ratio(rival, ours, figure)) is not None:
            verdict = word(value, low, high) if what == "latency" else _energy_word(value)
            name = f"{what} of {_called(rival, scheme)} over {_called(ours, 'AgileNN')}'s, {dataset}, {radio}"
            found.append(Beside(name, claims[what], times(value), f"{verdict}; {accuracy_gap(rival, ours)}"))
    return found


def _energy_word(value: float) -> str:
    """The paper says that it is lower, and not by how much."""
    if abs(value - 1) <= CLOSE:
        return "worse: no difference"
    return "as in the paper" if value > 1 else "worse: the rival takes less"


def accuracy_gap(rival: CellResult, ours: CellResult) -> str:
    """In words, whether a ratio is one at equal accuracy."""
    theirs, own = rival.value("accuracy"), ours.value("accuracy")
    if theirs is None or own is None:
        return "accuracy unknown"
    points = 100 * (theirs - own)
    if abs(points) <= 100 * EQUAL:
        return AT_EQUAL
    return f"the rival is {abs(points):.1f} points {'more' if points > 0 else 'less'} accurate"


def resources_against_rivals(cells: tuple[CellResult, ...]) -> tuple[Beside, ...]:
    """Cycles, RAM, flash and energy of those rivals that compute, over AgileNN's."""
    found = []
    for dataset in distinct(cells, "dataset"):
        there = where(cells, dataset=dataset)
        for ours in where(there, scheme=OURS):
            for rival in [cell for cell in there if cell.value("scheme") != OURS]:
                found.append(_resources(rival, ours, dataset))
    return tuple(found)


def _resources(rival: CellResult, ours: CellResult, dataset: str) -> Beside:
    names = {"cycles": "busy_cycles", "RAM": "ram_bytes", "flash": "flash_bytes", "energy": "energy_mj"}
    ratios = {name: ratio(rival, ours, figure) for name, figure in names.items()}
    known = {name: value for name, value in ratios.items() if value is not None}
    beyond = [name for name, value in known.items() if value > LOCAL_RESOURCES]
    below = [name for name, value in known.items() if value < 1]
    parts = [f"as in the paper in {', '.join(beyond)}" if beyond else "nowhere 8×: worse than the paper"]
    parts += [f"the rival takes less {', '.join(below)}"] if below else []
    return Beside(
        f"resources of {rival.value('scheme')} over AgileNN's, {dataset}",
        "more than 8×",
        ", ".join(f"{name} {times(value)}" for name, value in known.items()),
        "; ".join(parts),
    )
