"""Which kernels a deployment gets: the fastest that fit the board."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hil.boards.protocol import BoardInfo
from hil.deploy import budget
from hil.deploy.build import Toolchain
from hil.deploy.deployment import KernelChoice
from hil.deploy.kernels.registry import PLAIN
from hil.deploy.lower import plain
from hil.deploy.plan import Plan, plan_program
from hil.deploy.program import DeviceHalf, Program
from hil.deploy.tune.code_place import Moved, to_itcm
from hil.deploy.tune.expected import random_sample
from hil.deploy.tune.tuner import Place, Tuned, place, tune
from hil.errors import DoesNotFitError


@dataclass(frozen=True)
class Chosen:
    """A program with its memory plan, and what it was chosen from."""

    program: Program
    plan: Plan
    tuned: Tuned | None = None
    """None where nothing was measured."""
    moved: tuple[Moved, ...] = ()
    """Steps whose code goes to ITCM."""


def choose(
    half: DeviceHalf,
    board: BoardInfo,
    kernels: KernelChoice,
    toolchain: Toolchain,
    sample: NDArray[np.int8] | None = None,
) -> Chosen:
    """The program for `half`; candidates are timed on `sample`, the graph's input.

    Raises DoesNotFitError where not even the kernels that need least memory fit, and what `tune` raises.
    """
    if kernels is KernelChoice.PLAIN:
        return _fitting(plain(half), board)
    taken = random_sample(half) if sample is None else sample
    tuned = tune(half, toolchain, taken)
    fitting = _fastest_fitting(tuned, board)
    moved = to_itcm(tuned, fitting.program, toolchain, taken)
    return replace(fitting, tuned=tuned, moved=moved)


def _fastest_fitting(tuned: Tuned, board: BoardInfo) -> Chosen:
    without: frozenset[Place] = frozenset()
    while True:
        program = tuned.program(without)
        try:
            return _fitting(program, board)
        except DoesNotFitError:
            # Another kernel where most memory is in use, as long as there is one.
            fullest = plan_program(program).fullest_step
            if fullest >= len(program.steps) or program.steps[fullest].kernel in PLAIN:
                raise
            without |= {place(program.steps[fullest])}


def _fitting(program: Program, board: BoardInfo) -> Chosen:
    memory = plan_program(program)
    budget.check(program, memory, board)
    return Chosen(program, memory)
