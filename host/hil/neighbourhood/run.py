"""From templates to a result: all batches in one sweep, then the failures shrunk, round by round."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from hil import __version__
from hil.errors import UsageError
from hil.experiments.measure import Cell, Context
from hil.experiments.pool import Pool
from hil.experiments.result import CellResult
from hil.experiments.store import Store
from hil.experiments.sweep import Report, Sweep
from hil.neighbourhood.cells import cells_of, minimum_cell
from hil.neighbourhood.parameter import Parameters
from hil.neighbourhood.result import Anomaly, Failure, Neighbourhood, Result, Unasked
from hil.neighbourhood.template import Template
from hil.session.provenance import git_commit, host, packages

ANOMALIES_MAX: Final = 8
"""A neighbourhood with more is not nearly right, and needs no more examples."""


@dataclass(frozen=True)
class Wish:
    """What was asked for."""

    templates: Sequence[Template]
    instances: int | None = None
    """Of each template; None: as many as a full run has."""
    seed: int = 0
    board: str = "twin"

    def __post_init__(self) -> None:
        if self.instances is not None and self.instances < 1:
            raise UsageError(f"{self.instances} instances", "take at least 1")
        if self.seed < 0:
            raise UsageError(f"the seed {self.seed} is negative", "seeds start at 0")

    def count(self, template: Template) -> int:
        """Instances of `template`."""
        return template.full if self.instances is None else self.instances


@dataclass
class Inquiry:
    """A run under way. After an interrupt `result` has what there is, and the same wish goes on."""

    wish: Wish
    pool: Pool
    report: Report
    store: Store = field(default_factory=Store)
    again: bool = False
    _found: dict[str, list[CellResult]] = field(default_factory=dict)
    _anomalies: dict[str, list[Anomaly]] = field(default_factory=dict)

    def run(self) -> None:
        """Asks what the cache lacks. Raises StoreError, and what the pool raises."""
        wish = self.wish
        planned = [
            (template.name, cell)
            for template in wish.templates
            for cell in cells_of(template, wish.count(template), wish.seed, wish.board)
        ]
        sweep = self._sweep([cell for _, cell in planned])
        try:
            sweep.run()
        finally:
            for place, cell_result in sorted(sweep.results.items()):
                self._found.setdefault(planned[place][0], []).append(cell_result)
        while failing := self._unexplained():
            self._shrink(failing)

    def _sweep(self, cells: Sequence[Cell]) -> Sweep:
        return Sweep(cells, Context(), self.pool, self.store, self.report, self.again)

    def _unexplained(self) -> list[tuple[Template, Failure]]:
        """The first failing instance of every template that no anomaly has yet."""
        found = []
        for template in self.wish.templates:
            known = self._anomalies.get(template.name, [])
            taken = {index for anomaly in known for index in anomaly.instances}
            left = [failure for failure in self._failures(template) if failure.index not in taken]
            if left and len(known) < ANOMALIES_MAX:
                found.append((template, left[0]))
        return found

    def _shrink(self, failing: Sequence[tuple[Template, Failure]]) -> None:
        cells = [minimum_cell(template, each.parameters, self.wish.board) for template, each in failing]
        for (template, failure), shrunk in zip(failing, self._sweep(cells).run(), strict=True):
            anomaly = _anomaly(shrunk, failure, self._failures(template))
            self._anomalies.setdefault(template.name, []).append(anomaly)

    def _failures(self, template: Template) -> list[Failure]:
        return [
            Failure(int(index), one["parameters"], one["detail"])
            for batch in self._found.get(template.name, [])
            for index, one in batch.detail.get("failed", {}).items()
        ]

    def result(self) -> Result:
        """What there is so far."""
        wish = self.wish
        return Result(
            tuple(self._neighbourhood(template) for template in wish.templates),
            wish.seed,
            wish.board,
            command(wish),
            provenance(),
        )

    def _neighbourhood(self, template: Template) -> Neighbourhood:
        batches = self._found.get(template.name, [])
        asked = [batch for batch in batches if batch.error is None]
        return Neighbourhood(
            template=template,
            wanted=self.wish.count(template),
            asked=sum(int(batch.figures["asked"]) for batch in asked),
            failures=tuple(self._failures(template)),
            anomalies=tuple(self._anomalies.get(template.name, ())),
            unasked=tuple(
                Unasked(batch.settings["first"], batch.settings["count"], batch.error.message)
                for batch in batches
                if batch.error is not None
            ),
            seconds=sum(batch.seconds for batch in asked),
        )


def _anomaly(shrunk: CellResult, failure: Failure, failures: Sequence[Failure]) -> Anomaly:
    """Of a search that could not be made the failing instance itself."""
    if shrunk.error is not None:
        detail = f"{failure.detail}; not shrunk: {shrunk.error.message}"
        return Anomaly(failure.parameters, failure.parameters, detail, (failure.index,))
    essential = shrunk.detail["essential"]
    like = {each.index for each in failures if _has(each.parameters, essential)} | {failure.index}
    return Anomaly(
        essential,
        shrunk.detail["parameters"],
        shrunk.detail["detail"],
        tuple(sorted(like)) if shrunk.figures["repeatable"] else (failure.index,),
        bool(shrunk.figures["repeatable"]),
    )


def _has(parameters: Parameters, essential: Mapping[str, Any]) -> bool:
    return all(parameters[name] == value for name, value in essential.items())


def command(wish: Wish) -> str:
    """What does it again."""
    words = ["hil", "neighbourhood", *(template.name for template in wish.templates)]
    words += [f"--instances {wish.instances}"] if wish.instances is not None else []
    words += [f"--seed {wish.seed}"] if wish.seed else []
    words += [f"--board {wish.board}"] if wish.board != "twin" else []
    return " ".join(words)


def provenance() -> dict[str, Any]:
    """Versions and machine."""
    return {
        "time_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "hil": __version__,
        "python": platform.python_version(),
        "packages": packages(),
        "git_commit": git_commit(),
        "host": host(),
    }
