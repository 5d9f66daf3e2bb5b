"""A sweep's progress on standard error: one bar on a terminal, a line a cell elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

from hil.cli.bars import Bars
from hil.experiments.sweep import CellFinished, CellStarted, Event, Planned
from hil.report import format as fmt


class ExperimentBar(Bars):
    """Takes the events of a sweep."""

    def __init__(self, varying: Collection[str]) -> None:
        """`varying` are the settings that tell cells apart."""
        self._varying = varying
        super().__init__(
            TextColumn("cells"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            TextColumn("{task.fields[cell]}", style="dim"),
        )
        self._task = self._bars.add_task("cells", total=None, left="", cell="")
        self._plan = Planned(0, 0, 0, 1)
        self._done = 0
        self._seconds = 0.0

    def report(self, event: Event) -> None:
        """One more event."""
        if isinstance(event, Planned):
            self._plan = event
            self._done = event.cached + event.failed
            self._bars.update(self._task, total=event.cells, completed=self._done)
            self._say(f"{event.cells} cells, {event.cached} of them measured before")
        elif isinstance(event, CellStarted):
            self._bars.update(self._task, cell=describe(event.cell.settings, self._varying))
        else:
            self._finished(event)

    def _finished(self, event: CellFinished) -> None:
        self._done += 1
        self._seconds += event.result.seconds
        self._bars.update(self._task, completed=self._done, left=self._left())
        what = describe(event.cell.settings, self._varying)
        error = event.result.error
        if error is not None:
            self._console.print(f"not measured: {what}: {error.message}", markup=False, highlight=False)
        else:
            self._say(f"{self._done}/{self._plan.cells} {what}, {fmt.duration(event.result.seconds)}")

    def _left(self) -> str:
        """By the mean of the cells so far; they differ, so it is a guess."""
        measured = self._done - self._plan.cached - self._plan.failed
        left = self._plan.cells - self._done
        if not measured or not left:
            return ""
        return f"about {fmt.clock(self._seconds / measured * left / self._plan.workers)} left"

    def _say(self, text: str) -> None:
        """Where there is no bar."""
        if not self._console.is_terminal:
            self._console.print(f"experiment: {text}", markup=False, highlight=False)


def describe(settings: Mapping[str, Any], varying: Collection[str]) -> str:
    """A cell by what tells it from its neighbours."""
    told = {name: value for name, value in settings.items() if name in varying}
    return " ".join(
        [str(told.pop("scheme", "")), *(f"{name}={value}" for name, value in told.items())]
    ).strip()
