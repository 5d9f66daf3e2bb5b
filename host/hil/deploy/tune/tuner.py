"""Every candidate's cost, measured now or before, and the program that follows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from hil.deploy.build import Toolchain
from hil.deploy.kernels.registry import PLAIN
from hil.deploy.lower import candidates, lower
from hil.deploy.program import DeviceHalf, Program, Step
from hil.deploy.tune import kept
from hil.deploy.tune.measure import Measurement, measure
from hil.deploy.tune.tail import tail_half
from hil.deploy.tune.trial import Trial, payload_signature

_UNMEASURED = 1e15
"""More than anything takes: the last resort, but better than a kernel that nobody can vouch for."""

Measure = Callable[..., tuple[list[Measurement | None], Measurement | None]]
Place = tuple[int, int, str]


def place(step: Step) -> Place:
    """What tells one candidate from another: where it begins, how far it goes, and its kernel's name."""
    return step.first, step.count, step.kernel.name


@dataclass(frozen=True)
class Tuned:
    """What every candidate of a device half takes, by the twin's cycle model at 216 MHz."""

    half: DeviceHalf
    trials: tuple[Trial, ...]
    found: dict[Place, Measurement]
    """Without those that do not fit in SRAM by themselves."""
    tail: Measurement | None
    """Quantiser and encoder behind the graph, where no step sends; None where nothing is sent."""

    def cost(self, half: DeviceHalf, step: Step) -> float:
        """Cycles of a candidate. One that sends is credited with the quantiser and encoder it replaces."""
        measured = self.found.get(place(step))
        if measured is None:
            return _UNMEASURED if step.kernel in PLAIN else math.inf
        return measured.cycles - (self.tail.cycles if self.tail and step.kernel.sends else 0)

    def program(self, without: frozenset[Place] = frozenset()) -> Program:
        """The fastest cover of the graph that uses none of `without`."""
        return lower(
            self.half, lambda half, step: math.inf if place(step) in without else self.cost(half, step)
        )


def tune(half: DeviceHalf, toolchain: Toolchain, timer: Measure = measure) -> Tuned:
    """Costs of all candidates of `half`; those of a shape that is known are not measured again.

    Raises BuildError when an image does not build, or a candidate is wrong.
    """
    trials = tuple(
        Trial(half, step) for first in range(len(half.graph.ops)) for step in candidates(half, first)
    )
    names = [kept.key(toolchain, trial.signature) for trial in trials]
    tail = tail_half(half)
    tail_name = kept.key(toolchain, f"tail {payload_signature(half)}") if tail else ""
    known = {name: found for name in (*names, tail_name) if name and (found := kept.load(name))}
    new = {name: trial for name, trial in zip(names, trials, strict=True) if name not in known}
    tail_is_new = tail is not None and tail_name not in known
    if new or tail_is_new:
        measured, of_tail = timer(toolchain, half, list(new.values()), tail if tail_is_new else None)
        fresh = dict(zip(new, measured, strict=True)) | ({tail_name: of_tail} if tail_is_new else {})
        for name, found in fresh.items():
            if found is not None:
                known[name] = found
                kept.save(name, found)
    by_place = {
        place(trial.step): known[name] for name, trial in zip(names, trials, strict=True) if name in known
    }
    return Tuned(half, trials, by_place, known.get(tail_name))
