"""What a block costs beyond its issue cycles, in Python. Keep in step with `native/timing.c`."""

from __future__ import annotations

from collections.abc import Callable

from hil.twin.memory import Memory
from hil.twin.state import CoreState
from hil.twin.timing.addresses import KEEP, MEETS_PREVIOUS, NOTHING, TEMPORARIES, WRITE
from hil.twin.timing.blocks import Block, Edge
from hil.twin.timing.caches import Caches
from hil.twin.timing.operation import Flow
from hil.twin.timing.state import BRANCHES, Feature, TimingState

_WORD = 0xFFFF_FFFF


class Dynamic:
    """Prediction, fetches and data of the blocks that run."""

    def __init__(self, core: CoreState, timing: TimingState, memory: Memory) -> None:
        self._core = core
        self._t = timing
        self._memory = memory
        self.caches = Caches(core, timing)

    def spend(self, edge: Edge, block: Block, register: Callable[[int], int]) -> None:
        """Adds all cycles of `block`; `register` reads a core register, 0 to 15."""
        t = self._t
        t.issue_ticks += edge.ticks
        self._core.ticks += edge.ticks
        if t.features & Feature.BRANCH and edge.kind >= Flow.CONDITIONAL:
            self._predict(edge, block.address)
        if t.features & Feature.FETCH:
            self.caches.fetch(block.address, block.size)
        if t.features & (Feature.DATA | Feature.EXACT):
            t.unresolved += block.unresolved
            self._touch_data(edge, register)
        else:
            self._add_bank(edge.meetings_ticks)
        t.previous, t.previous_size = block.address, block.size

    def _predict(self, edge: Edge, address: int) -> None:
        t = self._t
        branch = (t.previous + t.previous_size) >> 1 & (BRANCHES - 1)
        if edge.kind is Flow.CONDITIONAL:
            counter = t.counters[branch]
            wrong = (counter >= 3 if counter else edge.backward) != edge.taken
            if not counter:
                t.counters[branch] = 3 if edge.taken else 2
            else:
                t.counters[branch] = min(4, counter + 1) if edge.taken else max(1, counter - 1)
        else:
            wrong = t.targets[branch] != address
            t.targets[branch] = address
        t.branches += 1
        if wrong:
            t.mispredictions += 1
            t.branch_ticks += edge.penalty_ticks
            self._core.ticks += edge.penalty_ticks

    def _touch_data(self, edge: Edge, register: Callable[[int], int]) -> None:
        temporaries = [0] * TEMPORARIES
        last = 0

        def source(number: int) -> int:
            return register(number) if number < 16 else temporaries[number - 16]

        for access in edge.accesses:
            formula = access.address
            address = formula.offset
            if formula.source != NOTHING:
                address += source(formula.source)
            if formula.index != NOTHING:
                address += source(formula.index) << formula.shift
            address &= _WORD
            if access.flags & KEEP:
                held = self._memory.holds(address, 4)
                temporaries[access.temporary] = self._memory.word(address) if held else 0
            if access.flags & MEETS_PREVIOUS and not (address ^ last) & 4:
                self._add_bank(self._t.bank_ticks_each)
            last = address
            if self._t.features & Feature.DATA:
                self.caches.access(address, access.bytes, bool(access.flags & WRITE))

    def _add_bank(self, ticks: int) -> None:
        self._t.bank_ticks += ticks
        self._core.ticks += ticks
