"""Records a profile: the memory that the block hook fills, and exceptions, which come from Python."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hil.twin.image import Function, Image
from hil.twin.observer import Observer
from hil.twin.profile.records import (
    ENDS_CALLING,
    FRAMES,
    NODES,
    NOWHERE,
    SLOTS,
    Extent,
    Frame,
    Node,
    ProfileState,
)
from hil.twin.profile.walk import Walk
from hil.twin.state import CoreState
from hil.twin.timing.state import TimingState

EXCEPTION_KEY = 0xE000_0000
"""Keys of exceptions: this plus their number. No code can be there (ARMv7-M ARM B3.1)."""
PARKED_THREADS = 64
UNSIZED_BYTES = 4096
"""The longest that assembly without a declared size is taken to be, as in `Image.function_at`."""

Context = tuple[int, int, int]
"""Current node, and how the last block ended."""


@dataclass(frozen=True)
class Interrupted:
    """What an exception put aside."""

    sp: int
    floor: int
    depth: int
    context: Context


@dataclass(frozen=True)
class Thread:
    """The stack of a thread that another one took over from."""

    frames: tuple[tuple[int, int, int], ...]
    context: Context


class Recorder(Observer):
    """The calling-context tree of one twin while it runs."""

    def __init__(self, core: CoreState, timing: TimingState, image: Image) -> None:
        self.state = ProfileState(current=NOWHERE, ended=ENDS_CALLING, ended_at=NOWHERE)
        self._core = core
        self._timing = timing
        functions = extents(image.functions)
        self._memory = [mmap.mmap(-1, size) for size in (ctypes.sizeof(Node) * NODES, 4 * SLOTS)]
        self.nodes = (Node * NODES).from_buffer(self._memory[0])
        self._frames = (Frame * FRAMES)()
        self._functions = (Extent * max(1, len(functions)))(*functions)
        state = self.state
        state.nodes, state.frames = ctypes.addressof(self.nodes), ctypes.addressof(self._frames)
        state.slots = ctypes.addressof(ctypes.c_char.from_buffer(self._memory[1]))
        state.functions, state.function_count = ctypes.addressof(self._functions), len(functions)
        state.node_count = 1
        self.nodes[0].parent = NOWHERE
        self._interrupted: list[Interrupted] = []
        self._parked: dict[int, Thread] = {}
        self.walk = Walk(state, core, timing, self.nodes, self._frames, self._functions[: len(functions)])
        self._child: Callable[[int, int], int] = self.walk.child
        self._settle: Callable[[], None] = self.walk.settle

    def attach(self, library: Any) -> ctypes.Structure:
        """Lets native code record; returns what its block hook gets."""
        state = self.state
        state.timing = ctypes.addressof(self._timing)
        address = ctypes.c_void_p(ctypes.addressof(state))
        library.hil_profile_child.restype = ctypes.c_uint32
        self._child = lambda parent, key: int(library.hil_profile_child(address, parent, key))
        self._settle = lambda: library.hil_profile_settle(address)
        return state

    @property
    def awake_ticks(self) -> int:
        """All ticks since power-on that were not slept."""
        return self._core.ticks - self.state.slept_ticks

    def settle(self) -> None:
        """Charges what was spent up to now."""
        self._settle()

    def restarted(self) -> None:
        self._settle()
        self._interrupted.clear()
        self._parked.clear()
        self._start(0, NOWHERE)

    def slept(self, ticks: int) -> None:
        self.state.slept_ticks = ticks

    def entering(self, exception: int, sp: int) -> None:
        p = self.state
        self._settle()
        self._interrupted.append(Interrupted(sp, p.floor, p.depth, (p.current, p.ended, p.ended_at)))
        self._begin(exception, p.depth)

    def leaving(self) -> None:
        # The handler's root, which also stands for the cycles of entry and return.
        self._settle()
        if self.state.floor:
            self.state.current = self._frames[self.state.floor - 1].node

    def chaining(self, exception: int) -> None:
        self._settle()
        self._begin(exception, self.state.floor - 1)

    def resumed(self, sp: int) -> None:
        p = self.state
        self._settle()
        if not self._interrupted:
            return
        saved = self._interrupted.pop()
        p.floor, p.depth = saved.floor, saved.depth
        p.current, p.ended, p.ended_at = saved.context
        if sp != saved.sp:
            self._switch(saved.sp, sp)

    def _begin(self, exception: int, depth: int) -> None:
        frame = self._frames[depth]
        frame.node = self._child(NOWHERE, EXCEPTION_KEY + exception)
        self.nodes[frame.node].calls += 1
        frame.return_address = frame.sp = NOWHERE
        self._start(depth + 1, frame.node)

    def _start(self, floor: int, node: int) -> None:
        """The next block begins a function above `floor`."""
        p = self.state
        p.floor = p.depth = floor
        p.current, p.ended, p.ended_at = node, ENDS_CALLING, NOWHERE

    def _switch(self, old_sp: int, new_sp: int) -> None:
        """A handler changed threads: stacks are told apart by where they were left."""
        p = self.state
        frames = tuple((f.node, f.return_address, f.sp) for f in self._frames[p.floor : p.depth])
        self._parked[old_sp] = Thread(frames, (p.current, p.ended, p.ended_at))
        while len(self._parked) > PARKED_THREADS:
            del self._parked[next(iter(self._parked))]
        thread = self._parked.pop(new_sp, None)
        if thread is None:
            self._start(p.floor, self._frames[p.floor - 1].node if p.floor else NOWHERE)
            return
        for index, frame in enumerate(thread.frames, start=p.floor):
            self._frames[index] = Frame(*frame)
        p.depth = p.floor + len(thread.frames)
        p.current, p.ended, p.ended_at = thread.context


def extents(functions: Sequence[Function]) -> list[Extent]:
    """The functions' code, cut where the next one begins."""
    ends = (*(function.address for function in functions[1:]), NOWHERE)
    return [
        Extent(function.address, min(function.address + (function.size or UNSIZED_BYTES), end))
        for function, end in zip(functions, ends, strict=False)
    ]
