"""Which class was taken for which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.session.events import SampleRecord


@dataclass(frozen=True)
class Confusion:
    """Answers by true class."""

    counts: NDArray[np.int64]
    """(classes, classes): row the true class, column the answer."""
    unanswered: NDArray[np.int64]
    """(classes,) samples that failed."""

    @property
    def classes(self) -> int:
        return len(self.unanswered)

    def pairs(self) -> list[tuple[int, int, int]]:
        """(true, answered, count) of every confusion, the most frequent first."""
        found = [
            (int(true), int(said), int(self.counts[true, said]))
            for true, said in zip(*np.nonzero(self.counts), strict=True)
            if true != said
        ]
        return sorted(found, key=lambda pair: (-pair[2], pair[0], pair[1]))


def confusion(records: Iterable[SampleRecord], classes: int) -> Confusion:
    """Of `records`; labels and answers from `classes` on are left out, since they are no classes."""
    counts = np.zeros((classes, classes), np.int64)
    unanswered = np.zeros(classes, np.int64)
    for record in records:
        if record.label >= classes:
            continue
        if record.prediction is None:
            unanswered[record.label] += 1
        elif record.prediction < classes:
            counts[record.label, record.prediction] += 1
    return Confusion(counts, unanswered)
