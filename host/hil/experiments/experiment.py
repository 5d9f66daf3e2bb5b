"""An experiment as data: what varies, what is fixed, what is measured, and which claim it answers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hil.experiments.measure import Cell, Measure, Settings
from hil.experiments.result import Beside, CellResult

DATASET = "digits"


@dataclass(frozen=True)
class Variable:
    """One axis of an experiment."""

    name: str
    """Of the setting."""
    values: tuple[Any, ...]
    quick: tuple[Any, ...] | None = None
    """The values of a quick run; None: all."""
    title: str = ""
    """The heading of its column; its name if not given."""


@dataclass(frozen=True)
class Column:
    """A figure, or a setting, that the table shows."""

    key: str
    title: str
    unit: str = ""
    """`%` for shares, which are kept as numbers from 0 to 1."""
    digits: int | None = None
    """Behind the decimal point; None: as many as tell something."""


@dataclass(frozen=True)
class Chart:
    """A picture of the table: one figure over another."""

    title: str
    x: str
    y: str
    series: str | None = None
    """The setting that tells lines, or colours, apart."""
    kind: Literal["line", "scatter", "bars"] = "line"
    log_x: bool = False


Judge = Callable[[tuple[CellResult, ...]], tuple[Beside, ...]]


def no_claim(cells: tuple[CellResult, ...]) -> tuple[Beside, ...]:
    """Of an experiment that answers no figure of the paper."""
    return ()


def nothing_excluded(settings: Settings) -> bool:
    """Every combination of the variables means something."""
    return False


@dataclass(frozen=True)
class Experiment:
    """Cells are all combinations of the variables' values, each with what is fixed."""

    name: str
    question: str
    paper: str
    """What the paper has on it, or that it has nothing."""
    measure: Measure
    varies: tuple[Variable, ...]
    fixed: Settings
    columns: tuple[Column, ...]
    charts: tuple[Chart, ...] = ()
    quick: Settings = field(default_factory=dict)
    """What a quick run fixes otherwise."""
    excluded: Callable[[Settings], bool] = nothing_excluded
    beside: Judge = no_claim
    """The cells that were measured, held against the paper."""
    everywhere: bool = False
    """A whole run takes all data sets at hand unless the user names some."""

    def cells(self, chosen: Chosen) -> Iterator[Cell]:
        """In the order of the variables; none that is excluded."""
        axes = [[(name, value) for value in values] for name, values in chosen.varies.items()]
        for combination in itertools.product(*axes):
            settings = {**chosen.fixed, **dict(combination)}
            if not self.excluded(settings):
                yield Cell(self.measure, settings)


@dataclass(frozen=True)
class Chosen:
    """An experiment's variables and fixed settings, as the user wants them."""

    varies: Mapping[str, tuple[Any, ...]]
    fixed: Settings
