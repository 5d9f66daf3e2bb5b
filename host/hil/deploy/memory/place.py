"""Offsets for buffers in one arena: optimal, or with a bound on how far from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hil.deploy.memory.bound import alive_bytes
from hil.deploy.memory.branch import Branching
from hil.deploy.memory.buffer import ALIGNMENT, Buffer, Overlap, check
from hil.deploy.memory.climb import climb, greedy
from hil.deploy.memory.problem import Problem

ROUNDS, NODES = 400, 4000
"""Tries of the local search and nodes of the exact one: for 100 buffers a third of a second, 4 at most."""


BRANCHED_MAX = 300
"""Buffers up to which the exact search is tried: it descends by one for each."""


@dataclass(frozen=True)
class Placement:
    """Offsets in bytes; `arena_bytes` holds them all."""

    offsets: dict[str, int] = field(default_factory=dict)
    arena_bytes: int = 0
    lower_bound: int = 0
    """No placement takes less: the most bytes alive at a step, or `arena_bytes` where all was searched."""
    fullest_step: int = 0
    """The step at which most bytes are alive."""

    @property
    def gap_bytes(self) -> int:
        """What a better placement could save at most."""
        return self.arena_bytes - self.lower_bound


def place(
    buffers: Sequence[Buffer], overlaps: Sequence[Overlap] = (), rounds: int = ROUNDS, nodes: int = NODES
) -> Placement:
    """Places `buffers` so that those alive together are apart, save `overlaps`.

    The same arguments give the same placement. Raises ValueError for an overlap that lives forbid.
    """
    if not buffers:
        return Placement()
    check(buffers, overlaps)
    problem = Problem(tuple(buffers), tuple(overlaps))
    alive = alive_bytes(buffers, overlaps)
    bound = max(alive)
    units = bound // ALIGNMENT
    offsets = climb(problem, greedy(problem), units, rounds)
    proven = False
    if problem.height(offsets) > units and nodes and len(buffers) <= BRANCHED_MAX:
        search = Branching(problem, offsets, units, nodes)
        search.run()
        offsets, proven = search.offsets, search.exhausted
    arena = problem.height(offsets) * ALIGNMENT
    return Placement(
        offsets={b.name: offset * ALIGNMENT for b, offset in zip(buffers, offsets, strict=True)},
        arena_bytes=arena,
        lower_bound=arena if proven else bound,
        fullest_step=alive.index(bound),
    )
