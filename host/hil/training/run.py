"""A training under way: which epochs are left, what each came to, and when it will end.

A run is itself the `Report` that schemes are given. One that knows of epochs (`epochs`) survives
being killed; one that only calls it as a function is trained as before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from hil.errors import TrainingError
from hil.training import checkpoint, state
from hil.training.checkpoint import Checkpoint, UnusableCheckpoint
from hil.training.progress import Progress, Report, silent


@dataclass
class Epoch:
    """One turn of a phase; the loop adds what it came to."""

    number: int
    steps: int = 0
    figures: dict[str, float] = field(default_factory=dict)
    text: str = ""


@dataclass(frozen=True)
class Shelf:
    """Where a run keeps its checkpoint, and what must be equal for another run to take it up."""

    path: Path
    identity: Mapping[str, Any]


class Run:
    """Progress, checkpoints and figures of one training. Without a `shelf` nothing is kept on disk."""

    def __init__(
        self,
        report: Report = silent,
        shelf: Shelf | None = None,
        fresh: bool = False,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._report = report
        self._shelf = shelf
        self._fresh = fresh
        self._clock_s = clock_s
        self._identity: dict[str, Any] = {}
        self._pending: Checkpoint | None = None
        self._costs: dict[str, float] = {}
        self._left: dict[str, float] = {}
        self._seconds_per_cost = 0.0
        self.history: list[dict[str, Any]] = []
        """One entry per complete epoch, those before a kill included."""

    @classmethod
    def of(cls, report: Report) -> Self:
        """`report` where it is a run, else a run that keeps nothing and reports there."""
        return report if isinstance(report, cls) else cls(report)

    def __call__(self, progress: Progress) -> None:
        self._report(progress)

    def begin(self, plan: Mapping[str, tuple[int, float]], identity: Mapping[str, Any]) -> None:
        """Announces phases (epochs, and what an epoch costs relative to the others') in their order.

        `identity` is what decides the bits beside the shelf's own: library, kind of device. Takes
        up the checkpoint if there is one that fits; a warning says why one that does not is left.
        """
        self._costs = {phase: cost for phase, (_, cost) in plan.items()}
        self._left = {phase: epochs * cost for phase, (epochs, cost) in plan.items()}
        if self._shelf is None:
            return
        self._identity = {**self._shelf.identity, **identity}
        if self._fresh:
            return
        try:
            self._pending = checkpoint.load(self._shelf.path, self._identity)
        except UnusableCheckpoint as why:
            text = f"the checkpoint {self._shelf.path.name} is ignored: {why}"
            self(Progress("checkpoint", 0, 0, warning=text))
        if self._pending is not None and self._pending.phase not in plan:
            self._pending = None

    def ahead(self) -> bool:
        """Whether the checkpoint was made later than here, so that this may be skipped."""
        return self._pending is not None

    def epochs(self, phase: str, total: int, parts: state.Parts) -> Iterator[Epoch]:
        """The epochs of `phase` that are left, each complete when the next is asked for.

        `parts` is everything a later epoch of any phase needs; it is restored before the first
        epoch where a checkpoint knows better. A phase that the checkpoint has behind it has none.
        """
        first = self._taken_up(phase, total, parts)
        for number in range(first, total):
            began_s = self._clock_s()
            epoch = Epoch(number)
            yield epoch
            self._close(phase, total, epoch, self._clock_s() - began_s, parts)

    def finish(self) -> None:
        """To be called when the bundle is safe: the checkpoint has done its service."""
        if self._shelf is not None:
            self._shelf.path.unlink(missing_ok=True)

    def _taken_up(self, phase: str, total: int, parts: state.Parts) -> int:
        """How many epochs of `phase` need no training; `parts` is what it was after them."""
        found = self._pending
        if found is None:
            return 0
        done = found.done if found.phase == phase else total
        self._left[phase] = (total - done) * self._costs[phase]
        if found.phase == phase:
            self._restore(parts, found)
            self.history = list(found.history)
            self._pending = None
        self(Progress(phase, done, total, "from the checkpoint"))
        return done

    def _restore(self, parts: state.Parts, found: Checkpoint) -> None:
        try:
            state.restore(parts, found.tensors, found.scalars)
        except (KeyError, ValueError, RuntimeError) as error:
            raise TrainingError(f"the checkpoint does not fit: {error}", "train with --fresh") from None

    def _close(self, phase: str, total: int, epoch: Epoch, seconds: float, parts: state.Parts) -> None:
        """Figures, checkpoint, report: in this order, so that whoever reads of an epoch can count on it."""
        cost = self._costs.get(phase, 1.0)
        self._left[phase] = (total - epoch.number - 1) * cost
        self._seconds_per_cost = seconds / cost
        self.history.append(
            {
                "phase": phase,
                "epoch": epoch.number + 1,
                "epochs": total,
                **epoch.figures,
                "seconds_per_step": seconds / max(1, epoch.steps),
            }
        )
        if self._shelf is not None:
            tensors, scalars = state.collect(parts)
            made = Checkpoint(phase, epoch.number + 1, tensors, scalars, tuple(self.history))
            checkpoint.save(made, self._shelf.path, self._identity)
        self(Progress(phase, epoch.number + 1, total, epoch.text, left_s=self._left_s()))

    def _left_s(self) -> float:
        """Seconds to the end of the last phase, as the latest epoch suggests."""
        return sum(self._left.values()) * self._seconds_per_cost
