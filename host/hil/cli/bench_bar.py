"""A benchmark's progress on standard error: a bar on a terminal, a line per part elsewhere."""

from __future__ import annotations

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn

from hil.cli.bars import Bars


class BenchBar(Bars):
    """One bar for each part."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        self._tasks: dict[str, TaskID] = {}

    def report(self, what: str, done: int, total: int) -> None:
        """Takes a `hil.bench.accuracy.Progress`."""
        if what not in self._tasks:
            if not self._console.is_terminal:
                self._console.print(f"bench: {what}", markup=False, highlight=False)
            self._tasks[what] = self._bars.add_task(what, total=total)
        self._bars.update(self._tasks[what], completed=done)
