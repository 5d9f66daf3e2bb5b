"""A download's progress on standard error; silent where that is no terminal."""

from __future__ import annotations

from rich.progress import (
    BarColumn,
    DownloadColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from hil.cli.bars import Bars


class DownloadBar(Bars):
    """One bar for each file."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        self._tasks: dict[str, TaskID] = {}

    def report(self, name: str, done: int, total: int) -> None:
        """Takes what `hil.data.fetch` tells: bytes so far, and in all, 0 when unknown."""
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total or None)
        self._bars.update(self._tasks[name], completed=done)
