"""Branch and bound over all placements in which no buffer can be moved down.

One of these is optimal. Sorted by offset, each of its buffers rests on one before it (or on the floor),
so placing buffers in the order of their offsets, each as low as those before it let it, meets them all.
With a limit on nodes it is a search; when it ends before the limit, what it leaves is optimal.
"""

from __future__ import annotations

from collections.abc import Sequence

from hil.deploy.memory.bound import saving
from hil.deploy.memory.buffer import ALIGNMENT
from hil.deploy.memory.problem import Problem


class Branching:
    """One search; `offsets` are the best found, `exhausted` says that there are none better."""

    def __init__(self, problem: Problem, offsets: Sequence[int], bound: int, nodes: int) -> None:
        self.offsets = list(offsets)
        self.exhausted = False
        self._problem = problem
        self._bound = bound
        self._nodes = nodes
        self._best = problem.height(offsets)
        self._placed = [-1] * len(problem.size)
        self._steps = self._crowded_steps()
        self._twin = self._twins()

    def run(self) -> None:
        """Searches until the bound is met, all is seen, or the nodes are spent."""
        count = len(self._placed)
        self._descend([0] * count, list(range(count)), -1)
        self.exhausted = self._nodes > 0

    def _crowded_steps(self) -> list[tuple[frozenset[int], int]]:
        """The sets of buffers alive at a step that are part of no other, with their step."""
        buffers = self._problem.buffers
        alive = {
            frozenset(i for i, b in enumerate(buffers) if b.first <= step <= b.last): step
            for step in sorted({b.first for b in buffers})
        }
        return [(group, step) for group, step in alive.items() if not any(group < other for other in alive)]

    def _twins(self) -> list[int]:
        """For each buffer one before it that is the same in all respects, or -1."""
        problem = self._problem
        seen: dict[tuple[int, int, int, str], int] = {}
        twins = []
        loose = {name for o in problem.overlaps for name in (o.output, o.input)}
        for index, b in enumerate(problem.buffers):
            key = (problem.size[index], b.first, b.last, b.name if b.name in loose else "")
            twins.append(seen.get(key, -1))
            seen[key] = index
        return twins

    def _descend(self, low: list[int], left: list[int], last: int) -> None:
        """`low`: how low each buffer of `left` can lie; `last`: the buffer placed last."""
        self._nodes -= 1
        if not left:
            if (height := self._problem.height(self._placed)) < self._best:
                self.offsets, self._best = list(self._placed), height
            return
        size, placed = self._problem.size, self._placed
        floor = placed[last] if last >= 0 else 0
        if self._hopeless(low, left, floor):
            return
        ceiling = min(low[b] + size[b] for b in left)  # above it that buffer could be moved down
        candidates = [b for b in left if floor <= low[b] < ceiling and self._canonical(b, low[b], last)]
        for b in sorted(candidates, key=lambda b: (low[b], -size[b], b)):
            if self._nodes <= 0 or self._best <= self._bound:
                return
            placed[b] = low[b]
            raised = list(low)
            for other in self._problem.apart[b]:
                if placed[other] < 0:
                    raised[other] = max(raised[other], low[b] + self._problem.apart[other][b])
            self._descend(raised, [other for other in left if other != b], b)
            placed[b] = -1

    def _canonical(self, b: int, offset: int, last: int) -> bool:
        """Of placements that differ in nothing but the order of equals, one is enough."""
        if self._twin[b] >= 0 and self._placed[self._twin[b]] < 0:
            return False
        tie = last >= 0 and self._placed[last] == offset
        return not tie or b > last or last in self._problem.apart[b]

    def _hopeless(self, low: list[int], left: list[int], floor: int) -> bool:
        """Whether what is left cannot end below the best placement."""
        size = self._problem.size
        if any(max(low[b], floor) + size[b] >= self._best for b in left):
            return True
        rest = frozenset(left)
        for group, step in self._steps:
            waiting = group & rest
            if len(waiting) < 2:
                continue
            begin = max(floor, min(low[b] for b in waiting))
            if begin + sum(size[b] for b in waiting) - self._saving(waiting, step) >= self._best:
                return True
        return False

    def _saving(self, waiting: frozenset[int], step: int) -> int:
        problem = self._problem
        if not problem.overlaps:
            return 0
        sizes = {problem.buffers[b].name: problem.size[b] * ALIGNMENT for b in waiting}
        pairs = [o for o in problem.overlaps if o.step == step and {o.output, o.input} <= sizes.keys()]
        return saving(sizes, pairs) // ALIGNMENT
