"""Experiments from the user's wish to their results: one sweep over the cells of all of them."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hil import __version__
from hil.errors import UsageError
from hil.experiments.at_hand import datasets_at_hand
from hil.experiments.choose import Wish, choose, wishes
from hil.experiments.experiment import Chosen, Experiment
from hil.experiments.measure import Cell, Context
from hil.experiments.pool import Pool
from hil.experiments.result import CellResult, Result
from hil.experiments.store import Store
from hil.experiments.sweep import Report, Sweep
from hil.session.provenance import git_commit, host, packages


@dataclass(frozen=True)
class Planned:
    """One experiment, and its cells."""

    experiment: Experiment
    chosen: Chosen
    cells: tuple[Cell, ...]


def plan(experiments: Sequence[Experiment], wish: Wish, context: Context) -> list[Planned]:
    """Raises UsageError on an unknown variable or data set, and where nothing is left to measure."""
    at_hand = datasets_at_hand(context) if any(experiment.everywhere for experiment in experiments) else ()
    planned = []
    for experiment, own in zip(experiments, wishes(experiments, wish), strict=True):
        chosen = choose(experiment, own, at_hand)
        cells = tuple(experiment.cells(chosen))
        if not cells:
            raise UsageError(f"{experiment.name} has no cell with these values", "give others with --set")
        planned.append(Planned(experiment, chosen, cells))
    return planned


@dataclass
class Conductor:
    """Experiments under way. After an interrupt `results` has what there is, marked as partial."""

    planned: Sequence[Planned]
    wish: Wish
    context: Context
    pool: Pool
    report: Report
    store: Store = field(default_factory=Store)
    again: bool = False

    def __post_init__(self) -> None:
        cells = [cell for planned in self.planned for cell in planned.cells]
        self._sweep = Sweep(cells, self.context, self.pool, self.store, self.report, self.again)

    def run(self) -> None:
        """Measures every cell that the cache lacks. Raises StoreError, and what the pool raises."""
        self._sweep.run()

    def results(self) -> list[Result]:
        """One for each experiment, in order."""
        provenance = {
            "time_utc": datetime.now(UTC).isoformat(timespec="seconds"),
            "hil": __version__,
            "python": platform.python_version(),
            "packages": packages(),
            "git_commit": git_commit(),
            "host": host(),
        }
        return [self._result(planned, found, provenance) for planned, found in self._found()]

    def _found(self) -> Iterator[tuple[Planned, tuple[CellResult, ...]]]:
        begin = 0
        for planned in self.planned:
            end = begin + len(planned.cells)
            places = [place for place in range(begin, end) if place in self._sweep.results]
            yield planned, tuple(self._sweep.results[place] for place in places)
            begin = end

    def _result(self, planned: Planned, cells: tuple[CellResult, ...], provenance: dict[str, Any]) -> Result:
        experiment = planned.experiment
        measured = tuple(cell for cell in cells if cell.error is None)
        return Result(
            name=experiment.name,
            question=experiment.question,
            paper=experiment.paper,
            measure=experiment.measure.name,
            quick=self.wish.quick,
            command=command(experiment, self.wish),
            variables=planned.chosen.varies,
            fixed=dict(planned.chosen.fixed),
            columns=experiment.columns,
            charts=experiment.charts,
            cells=cells,
            beside=experiment.beside(measured),
            provenance=provenance,
            partial=len(cells) < len(planned.cells),
        )


def command(experiment: Experiment, wish: Wish) -> str:
    """What does the experiment again."""
    words = ["hil", "experiment", experiment.name]
    words += [f"--dataset {name}" for name in wish.datasets]
    words += ["--quick"] if wish.quick else []
    words += [f"--board {wish.board}"] if wish.board else []
    words += [f"--set '{change}'" for change in wish.changes]
    return " ".join(words)
