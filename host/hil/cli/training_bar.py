"""Training's progress: a bar on a terminal, a line per phase elsewhere. Always on standard error."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from hil.training import progress as training


class TrainingBar:
    """One bar for each phase of a training."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn())
        self._bars = Progress(
            *columns,
            TextColumn("{task.fields[left]}"),
            TextColumn("{task.fields[text]}"),
            console=self._console,
            refresh_per_second=4,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def report(self, step: training.Progress) -> None:
        """Takes a step of the training."""
        if step.warning:
            self._console.print(f"train: {step.warning}", markup=False, highlight=False)
            return
        if step.phase not in self._tasks:
            if not self._console.is_terminal:
                self._console.print(f"train: {step.phase}", markup=False, highlight=False)
            self._tasks[step.phase] = self._bars.add_task(
                step.phase, total=step.total or None, text="", left=""
            )
        left = training.left(step)  # of the whole training, so only the current bar has it
        for phase, task in self._tasks.items():
            self._bars.update(task, left=left if phase == step.phase else "")
        self._bars.update(self._tasks[step.phase], completed=step.done, text=step.text)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._bars.stop()
