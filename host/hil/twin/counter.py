"""Installs the block hook: the native one, or the same logic in Python."""

from __future__ import annotations

import ctypes
import mmap
from abc import ABC, abstractmethod
from typing import Any

from unicorn import UC_HOOK_BLOCK, UC_HOOK_CODE, UC_HOOK_MEM_READ, UC_HOOK_MEM_WRITE, UC_MEM_WRITE
from unicorn import arm_const as arm

from hil.errors import BoardError
from hil.twin import traps
from hil.twin.block_decode import (
    BLOCK_BASES,
    BLOCK_CONTROL,
    BLOCK_DIVIDE,
    BLOCK_FP,
    BLOCK_PLACES,
    BLOCK_SEV,
    decode_block,
)
from hil.twin.memory import Memory, in_flash
from hil.twin.native import build
from hil.twin.native_hook import add_native_hook, address_of, describe
from hil.twin.profile.recorder import Recorder
from hil.twin.profile.records import ProfileState
from hil.twin.state import NOT_WATCHING, CoreState, HookReason
from hil.twin.timing.model import TimingModel
from hil.twin.timing.state import AccessRecord, EdgeRecord, TimingState

_CORE_REGISTERS = (
    *(getattr(arm, f"UC_ARM_REG_R{number}") for number in range(13)),
    arm.UC_ARM_REG_SP,
    arm.UC_ARM_REG_LR,
    arm.UC_ARM_REG_PC,
)


def install(
    uc: Any,
    state: CoreState,
    memory: Memory,
    native: bool | None,
    timing: TimingModel | None = None,
    recorder: Recorder | None = None,
) -> Counter:
    """Puts the block hook on `uc`: cycles by `timing`, or a constant for every instruction.

    With `timing`, `recorder` is told which function spends them.
    Raises BoardError when `native` is demanded and cannot be had.
    """
    library, reason = build.load() if native is not False else (None, "asked for")
    if library is not None and not _same_structures(library):
        library, reason = None, "the structures in Python and in C differ"
    if library is not None and timing is not None:
        return NativeTimedCounter(uc, state, memory, library, timing, recorder)
    if library is not None:
        return NativeCounter(uc, state, memory, library)
    if native:
        raise BoardError(f"the twin's native block hook is missing: {reason}", "install a C compiler")
    if timing is not None:
        return PythonTimedCounter(uc, state, memory, reason, timing, recorder)
    return PythonCounter(uc, state, memory, reason)


def _same_structures(library: ctypes.CDLL) -> bool:
    in_c = library.hil_state_bytes(), library.hil_timing_bytes(), library.hil_profile_bytes()
    return in_c == tuple(ctypes.sizeof(each) for each in (CoreState, TimingState, ProfileState))


PLACES_BITS = 1 << 20


class Counter(ABC):
    """The block hook in place. `fallback_reason` says why it is not the native one."""

    native = False
    fallback_reason = ""
    failure: BaseException | None = None
    """What went wrong in Python under the native hook; the engine raises it."""

    def __init__(self, state: CoreState, memory: Memory) -> None:
        self._state = state
        self._memory = memory
        self._places = (ctypes.c_uint8 * (PLACES_BITS // 8))()
        state.places = ctypes.addressof(self._places)

    def placed(self, address: int) -> bool:
        """Whether the block at `address` has its instruction hooks."""
        bit = address >> 1 & (PLACES_BITS - 1)
        return bool(self._places[bit >> 3] >> (bit & 7) & 1)

    def set_placed(self, address: int) -> None:
        """It has them now; blocks 2 MB apart share a bit."""
        bit = address >> 1 & (PLACES_BITS - 1)
        self._places[bit >> 3] |= 1 << (bit & 7)

    def forget_places(self) -> None:
        """CCR traps something else now: all blocks are looked at again."""
        ctypes.memset(self._places, 0, len(self._places))

    @abstractmethod
    def hook_instructions(self, uc: Any, first: int, last: int) -> Any:
        """Stops before instructions from `first` to `last` that trap; returns the hook's handle."""

    @abstractmethod
    def flush(self) -> None:
        """Forgets decoded blocks: flash was rewritten."""


class NativeCounter(Counter):
    """The hook of `native/block_hook.c`, called by Unicorn without passing through Python."""

    native = True

    def __init__(self, uc: Any, state: CoreState, memory: Memory, library: ctypes.CDLL) -> None:
        super().__init__(state, memory)
        library.hil_table_bytes.restype = ctypes.c_size_t
        self._library = library
        self._table = mmap.mmap(-1, library.hil_table_bytes())
        describe(state, memory)
        state.table = ctypes.addressof(ctypes.c_char.from_buffer(self._table))
        add_native_hook(uc, UC_HOOK_BLOCK, library.hil_block, state)

    def flush(self) -> None:
        ctypes.memset(self._state.table, 0, len(self._table))
        self.forget_places()

    def hook_instructions(self, uc: Any, first: int, last: int) -> Any:
        return add_native_hook(uc, UC_HOOK_CODE, self._library.hil_instruction, self._state, first, last)


Resolve = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(EdgeRecord))


class NativeTimedCounter(Counter):
    """The hook of `native/timing.c`; Python prices an edge between blocks when it is first taken."""

    native = True

    def __init__(
        self,
        uc: Any,
        state: CoreState,
        memory: Memory,
        library: ctypes.CDLL,
        timing: TimingModel,
        recorder: Recorder | None,
    ) -> None:
        super().__init__(state, memory)
        for size in (library.hil_edges_bytes, library.hil_pool_bytes):
            size.restype = ctypes.c_size_t
        self._library = library
        self._core = state
        self._timing = timing
        self._edges = mmap.mmap(-1, library.hil_edges_bytes())
        pool_bytes = library.hil_pool_bytes()
        self._pool_memory = mmap.mmap(-1, pool_bytes)
        count = pool_bytes // ctypes.sizeof(AccessRecord)
        self._pool = (AccessRecord * count).from_buffer(self._pool_memory)
        self._resolve = Resolve(self._on_resolve)
        describe(state, memory)
        t = timing.state
        t.core = ctypes.addressof(state)
        t.edges = ctypes.addressof(ctypes.c_char.from_buffer(self._edges))
        t.pool = ctypes.addressof(self._pool)
        t.resolve = address_of(self._resolve)
        if recorder is None:
            add_native_hook(uc, UC_HOOK_BLOCK, library.hil_timed_block, t)
        else:
            add_native_hook(uc, UC_HOOK_BLOCK, library.hil_profiled_block, recorder.attach(library))
        if timing.exact:
            add_native_hook(uc, UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, library.hil_access, t)

    def _on_resolve(self, _: Any, edge: Any) -> None:
        try:
            self._timing.fill(edge.contents, self._pool)
        except BaseException as error:  # it must not be lost in C
            self.failure = self.failure or error
            self._core.attention = 1

    def flush(self) -> None:
        ctypes.memset(self._timing.state.edges, 0, len(self._edges))
        self._timing.state.pool_used = 0
        self.forget_places()

    def hook_instructions(self, uc: Any, first: int, last: int) -> Any:
        return add_native_hook(uc, UC_HOOK_CODE, self._library.hil_instruction, self._core, first, last)


class PythonCounter(Counter):
    """The same logic, twenty to fifty times slower. Keep it in step with `native/block_hook.c`."""

    def __init__(self, uc: Any, state: CoreState, memory: Memory, reason: str) -> None:
        super().__init__(state, memory)
        self.fallback_reason = reason
        self._blocks: dict[tuple[int, int], tuple[int, int]] = {}
        uc.hook_add(UC_HOOK_BLOCK, self._on_block)

    def flush(self) -> None:
        self._blocks.clear()
        self.forget_places()

    def hook_instructions(self, uc: Any, first: int, last: int) -> Any:
        return uc.hook_add(UC_HOOK_CODE, self._on_instruction, begin=first, end=last)

    def _on_instruction(self, uc: Any, address: int, size: int, _: Any) -> None:
        state = self._state
        if state.stepping or not self._memory.holds(address, size):
            return
        code = self._memory.read(address, size)
        first, second = int.from_bytes(code[:2], "little"), int.from_bytes(code[2:], "little")
        if traps.violation(first, second, lambda n: int(uc.reg_read(_CORE_REGISTERS[n])), state.traps):
            state.reason = HookReason.TRAP
            uc.emu_stop()

    def _on_block(self, uc: Any, address: int, size: int, _: Any) -> None:
        state = self._state
        if state.stepping:
            return
        reason = self._reason_to_stop(uc, address)
        instructions = flags = 0
        if not reason:
            instructions, flags = self._block(address, size)
            reason = self._reason_to_refuse(uc, address, flags)
        state.block_address, state.block_size = address, size
        if reason:
            state.reason = reason
            uc.emu_stop()
            return
        if flags & BLOCK_SEV:
            state.event = 1
        if flags & BLOCK_CONTROL:
            state.control_written = state.attention = 1
        state.instructions += instructions
        self._spend(uc, address, size, instructions)

    def _spend(self, uc: Any, address: int, size: int, instructions: int) -> None:
        self._state.ticks += instructions * self._state.ticks_per_instruction

    def _reason_to_stop(self, uc: Any, address: int) -> HookReason:
        state = self._state
        if state.attention:
            return HookReason.ATTENTION
        if state.flash_watch and in_flash(address):
            return HookReason.ATTENTION
        if state.ticks >= state.deadline:
            return HookReason.DEADLINE
        if state.instructions >= state.instruction_limit:
            return HookReason.LIMIT
        if state.watched_priority != NOT_WATCHING and self._unmasked(uc):
            return HookReason.ATTENTION
        return HookReason.NONE

    def _reason_to_refuse(self, uc: Any, address: int, flags: int) -> HookReason:
        state = self._state
        if flags & BLOCK_FP and state.fpu_off:
            return HookReason.NO_FPU
        hooked = flags & BLOCK_PLACES or (flags & BLOCK_DIVIDE and state.traps & traps.Trap.DIVIDE)
        if hooked and not self.placed(address):
            return HookReason.PLACES
        bases = flags >> BLOCK_BASES
        unaligned = (uc.reg_read(_CORE_REGISTERS[n]) & 3 for n in range(15) if bases >> n & 1)
        return HookReason.TRAP if any(unaligned) else HookReason.NONE

    def _unmasked(self, uc: Any) -> bool:
        if (uc.reg_read(arm.UC_ARM_REG_PRIMASK) | uc.reg_read(arm.UC_ARM_REG_FAULTMASK)) & 1:
            return False
        basepri = int(uc.reg_read(arm.UC_ARM_REG_BASEPRI)) & 0xF0
        return basepri == 0 or self._state.watched_priority < basepri

    def _block(self, address: int, size: int) -> tuple[int, int]:
        known = self._blocks.get((address, size))
        if known is not None:
            return known
        region = self._memory.region(address)
        if region is None:
            return 0, 0
        decoded = decode_block(bytes(region.view[address - region.base : address - region.base + size]))
        if not region.writable:
            self._blocks[address, size] = decoded
        return decoded


class PythonTimedCounter(PythonCounter):
    """The cycle model without native code."""

    def __init__(
        self,
        uc: Any,
        state: CoreState,
        memory: Memory,
        reason: str,
        timing: TimingModel,
        recorder: Recorder | None,
    ) -> None:
        super().__init__(uc, state, memory, reason)
        self._timing = timing
        self._walk = None if recorder is None else recorder.walk
        self._edges: dict[tuple[int, int, int], Any] = {}
        if timing.exact:
            uc.hook_add(UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, self._on_access)

    def flush(self) -> None:
        super().flush()
        self._edges.clear()

    def _on_block(self, uc: Any, address: int, size: int, user: Any) -> None:
        if self._walk is not None:
            self._walk.follow(address, lambda: int(uc.reg_read(arm.UC_ARM_REG_SP)))
        super()._on_block(uc, address, size, user)

    def _spend(self, uc: Any, address: int, size: int, instructions: int) -> None:
        t = self._timing.state
        key = t.previous, address, size
        found = self._edges.get(key)
        if found is None:
            found = self._timing.edge(address, size)
            region = self._memory.region(address)
            if region is not None and not region.writable:
                self._edges[key] = found
        if found is None:
            t.previous, t.previous_size = address, size
            return
        block, edge = found
        self._timing.dynamic.spend(edge, block, lambda number: int(uc.reg_read(_CORE_REGISTERS[number])))
        if self._walk is not None:
            self._walk.ran(block, edge)

    def _on_access(self, uc: Any, kind: int, address: int, size: int, value: int, _: Any) -> None:
        self._timing.dynamic.caches.access(address & 0xFFFF_FFFF, size, kind == UC_MEM_WRITE)
