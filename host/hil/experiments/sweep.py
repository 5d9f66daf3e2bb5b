"""Cells to results: what the cache has is taken from it, the rest is measured side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hil.errors import HilError
from hil.experiments.measure import Cell, Context
from hil.experiments.outcome import Job, Measured, Outcome
from hil.experiments.pool import Pool
from hil.experiments.result import CellError, CellResult
from hil.experiments.store import Store


@dataclass(frozen=True)
class Planned:
    """How many cells there are, and how many of them the cache had."""

    cells: int
    cached: int
    failed: int
    """Cells whose inputs are missing."""
    workers: int


@dataclass(frozen=True)
class CellStarted:
    cell: Cell


@dataclass(frozen=True)
class CellFinished:
    cell: Cell
    result: CellResult


Event = Planned | CellStarted | CellFinished
Report = Callable[[Event], None]


@dataclass
class Sweep:
    """A sweep under way. What it has so far is in `results` also after an interrupt."""

    cells: Sequence[Cell]
    context: Context
    pool: Pool
    store: Store
    report: Report
    again: bool = False
    """Measure also what was measured before."""
    results: dict[int, CellResult] = field(default_factory=dict)
    """By a cell's place in `cells`."""

    def run(self) -> list[CellResult]:
        """The result of every cell, in their order. Raises StoreError, and whatever the pool raises."""
        jobs, places = self._plan()
        cached, failed = self._counts()
        self.report(Planned(len(self.cells), cached, failed, self.pool.workers))
        for alone in (False, True):
            for job, outcome in self._measure([job for job in jobs if job.cell.alone == alone], alone):
                self._finish(places[job.key], job, outcome)
        return [self.results[place] for place in range(len(self.cells))]

    def _plan(self) -> tuple[list[Job], dict[str, list[int]]]:
        """One job for every key that the store lacks, and the places of the cells that want it."""
        jobs: dict[str, Job] = {}
        places: dict[str, list[int]] = {}
        for place, cell in enumerate(self.cells):
            try:
                key = cell.key(self.context)
            except HilError as error:
                reason = CellError(error.code, error.message, error.hint)
                self.results[place] = CellResult(dict(cell.settings), error=reason)
                continue
            if not self.again and (kept := self.store.load(key)) is not None:
                self.results[place] = _result(cell, key, kept, cached=True)
                continue
            jobs.setdefault(key, Job(key, cell, self.context))
            places.setdefault(key, []).append(place)
        return list(jobs.values()), places

    def _counts(self) -> tuple[int, int]:
        failed = sum(result.error is not None for result in self.results.values())
        return len(self.results) - failed, failed

    def _measure(self, jobs: Sequence[Job], alone: bool) -> Iterator[tuple[Job, Outcome]]:
        if jobs:
            yield from self.pool.run(jobs, lambda job: self.report(CellStarted(job.cell)), one_by_one=alone)

    def _finish(self, places: Sequence[int], job: Job, outcome: Outcome) -> None:
        if isinstance(outcome, Measured):
            self.store.save(job.key, outcome)
        for place in places:
            cell = self.cells[place]
            self.results[place] = _result(cell, job.key, outcome, cached=False)
            self.report(CellFinished(cell, self.results[place]))


def _result(cell: Cell, key: str, outcome: Outcome, cached: bool) -> CellResult:
    settings: Mapping[str, object] = dict(cell.settings)
    if isinstance(outcome, CellError):
        return CellResult(settings, key, error=outcome)
    found = outcome.found
    return CellResult(
        settings, key, found.figures, found.sources, found.curves, found.detail, outcome.seconds, cached
    )
