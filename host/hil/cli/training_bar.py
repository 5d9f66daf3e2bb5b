"""Training's progress: a bar on a terminal, a line per phase elsewhere. Always on standard error."""

from __future__ import annotations

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn

from hil.cli.bars import Bars
from hil.training import progress as training


class TrainingBar(Bars):
    """One bar for each phase of a training."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn())
        super().__init__(
            *columns,
            TextColumn("{task.fields[left]}"),
            TextColumn("{task.fields[text]}"),
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
