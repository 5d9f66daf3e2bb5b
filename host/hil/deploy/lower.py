"""Lowering: which kernel computes which ops of the graph."""

from __future__ import annotations

from collections.abc import Callable

from hil.deploy.kernels.registry import PLAIN, SPECIALISED
from hil.deploy.program import DeviceHalf, Kernel, Program, Step

Cost = Callable[[DeviceHalf, Step], float]
"""What a step takes, in cycles or any other unit that adds up; infinite where it must not be used."""


def plain(half: DeviceHalf) -> Program:
    """One step an op, on CMSIS-NN wherever it has a kernel."""
    return Program(half, tuple(_steps(half, first, PLAIN)[0] for first in range(len(half.graph.ops))))


def candidates(half: DeviceHalf, first: int) -> tuple[Step, ...]:
    """Every step that can begin at op `first`."""
    return _steps(half, first, (*SPECIALISED, *PLAIN))


def lower(half: DeviceHalf, cost: Cost) -> Program:
    """The cover of the graph with the least sum of costs; ties go to what the registry has first."""
    best: list[tuple[float, tuple[Step, ...]]] = [(0.0, ())]
    for first in reversed(range(len(half.graph.ops))):
        options = [
            (cost(half, step) + best[-step.count][0], (step, *best[-step.count][1]))
            for step in candidates(half, first)
        ]
        best.append(min(options, key=lambda option: option[0]))
    return Program(half, best[-1][1])


def _steps(half: DeviceHalf, first: int, kernels: tuple[Kernel, ...]) -> tuple[Step, ...]:
    found = ((kernel, kernel.covers(half, first)) for kernel in kernels)
    return tuple(Step(first, count, kernel) for kernel, count in found if count)
