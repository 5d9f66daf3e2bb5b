"""Good placements fast: greedy orders, then swaps that pull the topmost buffers forward.

The swaps are the hill climbing of Arm's Vela compiler, on the order of a lowest-fit placement.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from hil.deploy.memory.problem import Problem


def greedy(problem: Problem) -> list[int]:
    """The order whose placement is lowest; the first is TFLite Micro's, largest first."""
    buffers, size = problem.buffers, problem.size

    def life(b: int) -> int:
        return buffers[b].last - buffers[b].first + 1

    keys: tuple[Callable[[int], tuple[int, ...]], ...] = (
        lambda b: (-size[b], buffers[b].first),
        lambda b: (-size[b] * life(b), buffers[b].first),
        lambda b: (-sum(size[a] for a in problem.apart[b]), -size[b]),
        lambda b: (-life(b), -size[b]),
        lambda b: (buffers[b].first, -size[b]),
        lambda b: (-buffers[b].last, -size[b]),
    )
    orders = [sorted(range(len(size)), key=key) for key in keys]
    return min(orders, key=lambda order: problem.height(problem.lowest_fit(order)))


def climb(problem: Problem, order: list[int], bound: int, rounds: int) -> list[int]:
    """Offsets no higher than those of `order`. Stops at `bound`, or after `rounds` tries."""
    chance = random.Random(0)  # of the same length in every run: plans are reproducible
    offsets = problem.lowest_fit(order)
    height = problem.height(offsets)
    for _ in range(rounds):
        if height <= bound or len(order) < 2:
            break
        top = [b for b, offset in enumerate(offsets) if offset + problem.size[b] == height]
        moved = chance.choice([chance.choice(top), *(problem.apart[chance.choice(top)] or top)])
        tried = list(order)
        tried.remove(moved)
        tried.insert(chance.randrange(len(order)), moved)
        candidate = problem.lowest_fit(tried)
        if (reached := problem.height(candidate)) <= height:
            order, offsets, height = tried, candidate, reached
    return offsets
