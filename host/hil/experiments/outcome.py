"""One cell at work, in whatever process: it ends in figures or in a reason, never in an exception."""

from __future__ import annotations

import time
from dataclasses import dataclass

from hil.errors import HilError
from hil.experiments.measure import Cell, Context, Found
from hil.experiments.result import CellError


@dataclass(frozen=True)
class Job:
    """A cell to be measured, and the key it had where it was planned."""

    key: str
    cell: Cell
    context: Context


@dataclass(frozen=True)
class Measured:
    """What a cell found, and how long it took."""

    found: Found
    seconds: float


Outcome = Measured | CellError


def perform(job: Job) -> Outcome:
    """Measures the cell of `job`. Only an interrupt is raised."""
    began_s = time.monotonic()
    try:
        if job.cell.key(job.context) != job.key:
            return CellError(
                "inputs",
                "what this cell reads, or hil itself, is not the same where it is measured",
                "give every worker the same hil and the same bundles",
            )
        found = job.cell.measure.function(job.cell.settings, job.context)
    except HilError as error:
        return CellError(error.code, error.message, error.hint)
    except Exception as error:  # a defect in one cell is no reason to lose the others
        return CellError("internal", f"{type(error).__name__}: {error}", "this is a defect in hil")
    return Measured(found, time.monotonic() - began_s)


def died(what: str) -> CellError:
    """The reason of a cell whose process ended under it."""
    return CellError(
        "worker-died",
        f"the process that measured this cell ended: {what}",
        "memory may be short: try --jobs 1",
    )
