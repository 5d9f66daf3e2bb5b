"""Progress of neighbourhoods on standard error: one bar on a terminal, a line a batch elsewhere."""

from __future__ import annotations

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

from hil.cli.bars import Bars
from hil.experiments.measure import Cell
from hil.experiments.sweep import CellFinished, CellStarted, Event, Planned
from hil.report import format as fmt


class NeighbourhoodBar(Bars):
    """Takes the events of the sweeps."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("{task.fields[what]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[batch]}", style="dim"),
        )
        self._task = self._bars.add_task("batches", total=None, what="batches", batch="")
        self._plan = Planned(0, 0, 0, 1)
        self._done = 0

    def report(self, event: Event) -> None:
        """One more event."""
        if isinstance(event, Planned):
            self._plan = event
            self._done = event.cached + event.failed
            self._bars.update(self._task, total=event.cells, completed=self._done)
            self._say(f"{event.cells} batches, {event.cached} of them asked before")
        elif isinstance(event, CellStarted):
            self._bars.update(self._task, batch=_text(event.cell))
        else:
            self._finished(event)

    def _finished(self, event: CellFinished) -> None:
        self._done += 1
        self._bars.update(self._task, completed=self._done)
        what, error = _text(event.cell), event.result.error
        if error is not None:
            self._console.print(f"not asked: {what}: {error.message}", markup=False, highlight=False)
            return
        failed = event.result.figures.get("failed", 0)
        if failed:
            self._console.print(f"{what}: {failed} failed", markup=False, highlight=False)
        self._say(f"{self._done}/{self._plan.cells} {what}, {fmt.duration(event.result.seconds)}")

    def _say(self, text: str) -> None:
        """Where there is no bar."""
        if not self._console.is_terminal:
            self._console.print(f"neighbourhood: {text}", markup=False, highlight=False)


def _text(cell: Cell) -> str:
    settings = cell.settings
    if "first" not in settings:
        return f"{settings['template']}, shrinking a failure"
    return f"{settings['template']} {settings['first']} to {settings['first'] + settings['count'] - 1}"
