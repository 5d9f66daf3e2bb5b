"""Questions with planted faults, and a pool that asks in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hil.experiments.outcome import Job, Outcome, perform
from hil.experiments.pool import Started
from hil.neighbourhood.parameter import Choice, Data, Parameters, Whole
from hil.neighbourhood.template import Template, each

ASKED: list[Parameters] = []
"""Every instance that was asked, in order."""

PARAMETERS = (
    Whole("padding", 0, 12),
    Whole("extent", 1, 40, (8,)),
    Choice("kind", ("plain", "deep", "wide")),
    Data(),
)


def _right(parameters: Parameters) -> str:
    ASKED.append(dict(parameters))
    return ""


def _off_by_one(parameters: Parameters) -> str:
    """An output is one short where the padding is 7, as a mutant of a kernel would have it."""
    padding, extent = parameters["padding"], parameters["extent"]
    assert isinstance(padding, int)
    assert isinstance(extent, int)
    made = extent + 2 * padding - (padding == 7)
    return "" if made == extent + 2 * padding else f"{made} outputs, not {extent + 2 * padding}"


def _of_two(parameters: Parameters) -> str:
    """Wrong where a map is larger than 20 and of one kind."""
    wrong = parameters["kind"] == "wide" and int(parameters["extent"]) > 20
    return "too large" if wrong else ""


def _raising(parameters: Parameters) -> str:
    if parameters["kind"] == "deep":
        raise ZeroDivisionError("no pixels")
    return ""


def toy(name: str, ask=_right, **more) -> Template:
    given = {"batch": 20, "full": 200, **more}
    return Template(name, "Is a toy right?", PARAMETERS, each(ask), "arithmetic", ("neighbourhood",), **given)


RIGHT = toy("right")
OFF_BY_ONE = toy("off-by-one", _off_by_one)
OF_TWO = toy("of-two", _of_two)
RAISING = toy("raising", _raising)
ALL = (RIGHT, OFF_BY_ONE, OF_TWO, RAISING)


class Here:
    """Asks in this process, and stops as if by Ctrl-C after `most` batches."""

    workers = 1

    def __init__(self, most: int | None = None) -> None:
        self._left = most

    def run(
        self, jobs: Sequence[Job], started: Started, *, one_by_one: bool = False
    ) -> Iterator[tuple[Job, Outcome]]:
        for job in jobs:
            if self._left == 0:
                raise KeyboardInterrupt
            started(job)
            yield job, perform(job)
            if self._left is not None:
                self._left -= 1
