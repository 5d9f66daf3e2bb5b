"""Which steps' code is worth its place in ITCM RAM.

Code in flash runs from an I-cache of 4 KB, so a step whose loop is longer than that waits for flash in every
turn. A step is moved whole: everything that was generated for it, not the library functions that it calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.deploy.build import Toolchain
from hil.deploy.kernels.registry import PLAIN
from hil.deploy.program import Program
from hil.deploy.tune import kept
from hil.deploy.tune.image import FIRMWARE, Place
from hil.deploy.tune.measure import Measurement, measure
from hil.deploy.tune.trial import Trial
from hil.deploy.tune.tuner import Tuned, place

ITCM_BYTES = (16 << 10) - 256
"""Less the first bytes, where no function should lie, and what alignment takes."""
IN_ITCM = Place(code=0x20, constants=0x0800_0000)

_LEAST_CODE_BYTES = 4 << 10
"""The I-cache: shorter code has gained less than 2 % wherever it was tried."""
_LEAST_GAIN = 0.10
"""Of its cycles: RAM is what firmware competes on, and AgileNN's 5 % would cost an eighth of all it uses."""

Timer = Callable[[Toolchain, Tuned, NDArray[np.int8], Trial, Place], int | None]


@dataclass(frozen=True)
class Moved:
    """A step of a program whose code goes to ITCM."""

    index: int
    cycles: int
    code_bytes: int
    saved: int
    """Cycles less than in flash, both measured alone."""


def time_alone(
    toolchain: Toolchain, tuned: Tuned, sample: NDArray[np.int8], trial: Trial, where: Place
) -> int | None:
    """Cycles of `trial` in an image of its own."""
    found = measure(toolchain, tuned.half, sample, [trial], None, where)[0][0]
    return found.cycles if found else None


def to_itcm(
    tuned: Tuned,
    program: Program,
    toolchain: Toolchain,
    sample: NDArray[np.int8],
    timer: Timer = time_alone,
) -> tuple[Moved, ...]:
    """The steps that save most cycles there, of those that save any worth mentioning; in order.

    Raises what `tune` raises.
    """
    worth = []
    for index, step in enumerate(program.steps):
        found = tuned.found.get(place(step))
        if found is None or step.kernel in PLAIN or not _LEAST_CODE_BYTES <= found.code_bytes <= ITCM_BYTES:
            continue
        trial = Trial(tuned.half, step)
        flash, itcm = (
            _cycles(tuned, toolchain, sample, trial, where, timer) for where in (FIRMWARE, IN_ITCM)
        )
        if flash and itcm and flash - itcm > _LEAST_GAIN * flash:
            worth.append(Moved(index, itcm, found.code_bytes, flash - itcm))
    return _most_saving(worth, ITCM_BYTES)


def _cycles(
    tuned: Tuned,
    toolchain: Toolchain,
    sample: NDArray[np.int8],
    trial: Trial,
    where: Place,
    timer: Timer,
) -> int | None:
    name = kept.key(toolchain, f"alone {where} {trial.signature(sample)}")
    if (known := kept.load(name, Measurement)) is not None:
        return known.cycles
    cycles = timer(toolchain, tuned, sample, trial, where)
    if cycles is not None:
        kept.save(name, Measurement(cycles, 0, 0))
    return cycles


def _most_saving(worth: Sequence[Moved], room: int) -> tuple[Moved, ...]:
    """The best choice that fits, exactly: for every fill so far the most that can be saved."""
    best: dict[int, tuple[int, tuple[Moved, ...]]] = {0: (0, ())}
    for one in worth:
        for fill, (saved, chosen) in sorted(best.items(), reverse=True):
            end = fill + one.code_bytes + -one.code_bytes % 16
            if end <= room and saved + one.saved > best.get(end, (0, ()))[0]:
                best[end] = saved + one.saved, (*chosen, one)
    return max(best.values(), key=lambda option: option[0])[1]
