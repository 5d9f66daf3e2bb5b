"""The profile's tree and shadow stack in Python. Keep in step with `native/profile.c`."""

from __future__ import annotations

import ctypes
from bisect import bisect_right
from collections.abc import Callable, Sequence

from hil.twin.profile.records import (
    CROWD,
    ENDS_CALLING,
    ENDS_INDIRECT,
    FRAMES_EACH,
    NODES,
    NOWHERE,
    SLOT_TICKS,
    Class,
    Extent,
    Frame,
    Node,
    ProfileState,
)
from hil.twin.state import CoreState
from hil.twin.timing.blocks import Block, Edge
from hil.twin.timing.state import TICK_COUNTERS, TimingState

ReadSp = Callable[[], int]


class Walk:
    """Follows the calls of one core and charges what they cost."""

    def __init__(
        self,
        state: ProfileState,
        core: CoreState,
        timing: TimingState,
        nodes: ctypes.Array[Node],
        frames: ctypes.Array[Frame],
        functions: Sequence[Extent],
    ) -> None:
        self._p = state
        self._core = core
        self._t = timing
        self._nodes = nodes
        self._frames = frames
        self._functions = functions
        self._starts = [function.start for function in functions]
        self._children: dict[tuple[int, int], int] = {}

    def child(self, parent: int, key: int) -> int:
        """The node of `key` called from `parent`; of any caller once the tree is full."""
        found = self._children.get((parent, key), 0)
        if not found and self._p.node_count >= NODES - CROWD:
            parent = 0
            found = self._children.get((parent, key), 0)
        if not found and self._p.node_count < NODES:
            found = self._children[parent, key] = self._p.node_count
            self._p.node_count += 1
            node, function = self._nodes[found], self._function_at(key)
            node.parent, node.key = parent, key
            if function is not None and function.start == key:
                node.start, node.end = function.start, function.end
        return found

    def settle(self) -> None:
        """Charges what was spent since the last time to the current node."""
        p = self._p
        if p.current == NOWHERE:
            return
        node, now = self._nodes[p.current], self._totals()
        for index, ticks in enumerate(now):
            node.ticks[index] += ticks - p.seen[index]
            p.seen[index] = ticks
        node.instructions += self._core.instructions - p.seen_instructions
        p.seen_instructions = self._core.instructions

    def follow(self, address: int, sp: ReadSp) -> None:
        """A block at `address` is about to run."""
        p, ended = self._p, self._p.ended
        if not ended and self._inside(address):
            return
        p.ended = 0
        if ended == ENDS_CALLING:
            function = self._function_at(address)
            begins = function is not None and function.start == address
            if address != p.ended_at or begins:  # else a conditional call that was not taken
                self._push(address, sp)
                return
        elif ended == ENDS_INDIRECT:
            self._unwind(address, sp)
        if not self._inside(address):
            self._jump(address)

    def ran(self, block: Block, edge: Edge) -> None:
        """The block was counted."""
        p, stalls = self._p, edge.stalls
        p.stalls[Class.MAC] += stalls.mac_slots * SLOT_TICKS
        p.stalls[Class.LOAD] += stalls.load_slots * SLOT_TICKS
        p.stalls[Class.OTHER] += stalls.other_slots * SLOT_TICKS
        p.stalls[Class.BRANCH] += stalls.branch_ticks
        p.stalls[Class.BANK] += stalls.bank_ticks
        p.ended = ENDS_CALLING if block.calls else ENDS_INDIRECT if block.jumps else 0
        p.ended_at = block.address + block.size

    def _totals(self) -> list[int]:
        t, now = self._t, list(self._p.stalls)
        counted = sum(getattr(t, name) for name in TICK_COUNTERS)
        now[Class.ISSUE] = t.issue_ticks - sum(now)
        now[Class.BRANCH] += t.branch_ticks
        now[Class.FETCH] += t.fetch_ticks
        now[Class.DATA] += t.data_ticks
        now[Class.BANK] += t.bank_ticks
        now[Class.OTHER] += self._core.ticks - self._p.slept_ticks - counted
        return now

    def _function_at(self, address: int) -> Extent | None:
        index = bisect_right(self._starts, address) - 1
        found = self._functions[index] if index >= 0 else None
        return found if found is not None and address < found.end else None

    def _go_to(self, node: int) -> None:
        if node != self._p.current:
            self.settle()
            self._p.current = node

    def _inside(self, address: int) -> bool:
        node = self._nodes[self._p.current]
        return node.start <= address < node.end

    def _push(self, address: int, sp: ReadSp) -> None:
        p, function = self._p, self._function_at(address)
        node = self.child(p.current, address if function is None else function.start)
        self._nodes[node].calls += 1
        p.depth += p.depth < p.floor + FRAMES_EACH
        frame = self._frames[p.depth - 1]
        frame.node, frame.return_address, frame.sp = node, p.ended_at, sp()
        self._go_to(node)

    def _unwind(self, address: int, read_sp: ReadSp) -> None:
        p, frames, last = self._p, self._frames, self._p.floor + 1
        returned = frames[p.depth - 1].return_address == address
        if p.depth <= last or (not returned and self._inside(address)):
            return
        sp = read_sp()
        while p.depth > last and frames[p.depth - 1].sp < sp:
            p.depth -= 1
        top = frames[p.depth - 1]
        if p.depth > last and top.return_address == address and top.sp == sp:
            p.depth -= 1
        self._go_to(frames[p.depth - 1].node)

    def _jump(self, address: int) -> None:
        p, function = self._p, self._function_at(address)
        if function is None:
            return
        for depth in range(p.depth, p.floor, -1) if address != function.start else ():
            node = self._frames[depth - 1].node
            if self._nodes[node].key == function.start:
                p.depth = depth
                self._go_to(node)
                return
        top = self._frames[p.depth - 1]
        top.node = self.child(self._nodes[top.node].parent, function.start)
        self._nodes[top.node].calls += address == function.start
        self._go_to(top.node)
