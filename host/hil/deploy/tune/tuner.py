"""Every candidate's cost, measured now or before, and the program that follows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.deploy.build import Toolchain
from hil.deploy.kernels.registry import PLAIN
from hil.deploy.lower import candidates, lower
from hil.deploy.program import DeviceHalf, Program, Sends, Step
from hil.deploy.tune import kept
from hil.deploy.tune.expected import random_sample
from hil.deploy.tune.measure import Measurement, Tail, measure
from hil.deploy.tune.tail import tail_half
from hil.deploy.tune.trial import Trial, payload_signature

_UNMEASURED = 1e15
"""More than anything takes: the last resort, but better than a kernel that nobody can vouch for."""

Measure = Callable[..., tuple[list[Measurement | None], Tail | None]]
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
    tail: Tail | None
    """Quantiser and encoder behind the graph, where no step sends; None where nothing is sent."""

    def cost(self, half: DeviceHalf, step: Step) -> float:
        """Cycles of a candidate. One that sends is credited with the quantiser, and encoder, it replaces."""
        measured = self.found.get(place(step))
        if measured is None:
            return _UNMEASURED if step.kernel in PLAIN else math.inf
        if self.tail is None:
            return measured.cycles
        # As if the tail were always there: what a step has done of it is taken off.
        return measured.cycles + self.tail.after(step.kernel.sends) - self.tail.after(Sends.NOTHING)

    def program(self, without: frozenset[Place] = frozenset()) -> Program:
        """The fastest cover of the graph that uses none of `without`."""
        return lower(
            self.half, lambda half, step: math.inf if place(step) in without else self.cost(half, step)
        )


def tune(
    half: DeviceHalf,
    toolchain: Toolchain,
    sample: NDArray[np.int8] | None = None,
    timer: Measure = measure,
) -> Tuned:
    """Costs of all candidates of `half`; those of a shape that is known are not measured again.

    `sample` is the graph's input, seeded random values if not given: what encoders take depends on it.

    Raises BuildError when an image does not build, or a candidate is wrong.
    """
    trials = tuple(
        Trial(half, step) for first in range(len(half.graph.ops)) for step in candidates(half, first)
    )
    if sample is None:
        sample = random_sample(half)
    names = [kept.key(toolchain, trial.signature(sample)) for trial in trials]
    known = {name: found for name in names if (found := kept.load(name, Measurement))}
    new = {name: trial for name, trial in zip(names, trials, strict=True) if name not in known}
    tail, tail_name = tail_half(half), ""
    if tail is not None:
        tail_name = kept.key(toolchain, f"tail {payload_signature(half, sample)}")
    of_tail = kept.load(tail_name, Tail) if tail else None
    wanted = tail if of_tail is None else None
    if new or wanted:
        measured, of_new_tail = timer(toolchain, half, sample, list(new.values()), wanted)
        for name, found in zip(new, measured, strict=True):
            if found is not None:
                known[name] = found
                kept.save(name, found)
        if of_new_tail is not None:
            of_tail = of_new_tail
            kept.save(tail_name, of_tail)
    by_place = {
        place(trial.step): known[name] for name, trial in zip(names, trials, strict=True) if name in known
    }
    return Tuned(half, trials, by_place, of_tail)
