"""Installs the block hook: the native one, or the same logic in Python."""

from __future__ import annotations

import ctypes
import mmap
from abc import ABC, abstractmethod
from typing import Any

from unicorn import UC_HOOK_BLOCK, UC_HOOK_MEM_READ, UC_HOOK_MEM_WRITE, UC_MEM_WRITE
from unicorn import arm_const as arm
from unicorn.unicorn_py3.unicorn import uclib

from hil.errors import BoardError
from hil.twin.memory import Memory, in_flash
from hil.twin.native import build
from hil.twin.state import NOT_WATCHING, WINDOWS, CoreState, HookReason
from hil.twin.timing.model import TimingModel
from hil.twin.timing.state import AccessRecord, EdgeRecord, TimingState

_CORE_REGISTERS = (
    *(getattr(arm, f"UC_ARM_REG_R{number}") for number in range(13)),
    arm.UC_ARM_REG_SP,
    arm.UC_ARM_REG_LR,
    arm.UC_ARM_REG_PC,
)
_BLOCK_FP = 1
_BLOCK_SEV = 2


def decode_block(code: bytes) -> tuple[int, int]:
    """Instructions in a block of Thumb code, and its flags (uses the FPU, executes SEV).

    An instruction is 32 bits long when its first halfword starts with 0b11101, 0b11110 or 0b11111
    (ARMv7-M ARM A5.1).
    """
    at = instructions = flags = 0
    while at + 1 < len(code):
        first = code[at] | code[at + 1] << 8
        if first >= 0xE800:
            if (first & 0xEC00) == 0xEC00 and at + 3 < len(code) and (code[at + 3] & 0x0E) == 0x0A:
                flags |= _BLOCK_FP
            at += 4
        else:
            flags |= _BLOCK_SEV if first == 0xBF40 else 0
            at += 2
        instructions += 1
    return instructions, flags


def install(
    uc: Any, state: CoreState, memory: Memory, native: bool | None, timing: TimingModel | None = None
) -> Counter:
    """Puts the block hook on `uc`: cycles by `timing`, or a constant for every instruction.

    Raises BoardError when `native` is demanded and cannot be had.
    """
    library, reason = build.load() if native is not False else (None, "asked for")
    if library is not None and not _same_structures(library):
        library, reason = None, "the structures in Python and in C differ"
    if library is not None and timing is not None:
        return NativeTimedCounter(uc, state, memory, library, timing)
    if library is not None:
        return NativeCounter(uc, state, memory, library)
    if native:
        raise BoardError(f"the twin's native block hook is missing: {reason}", "install a C compiler")
    if timing is not None:
        return PythonTimedCounter(uc, state, memory, reason, timing)
    return PythonCounter(uc, state, memory, reason)


def _same_structures(library: ctypes.CDLL) -> bool:
    sizes = library.hil_state_bytes(), library.hil_timing_bytes()
    return sizes == (ctypes.sizeof(CoreState), ctypes.sizeof(TimingState))


class Counter(ABC):
    """The block hook in place. `fallback_reason` says why it is not the native one."""

    native = False
    fallback_reason = ""
    failure: BaseException | None = None
    """What went wrong in Python under the native hook; the engine raises it."""

    @abstractmethod
    def flush(self) -> None:
        """Forgets decoded blocks: flash was rewritten."""


class NativeCounter(Counter):
    """The hook of `native/block_hook.c`, called by Unicorn without passing through Python."""

    native = True

    def __init__(self, uc: Any, state: CoreState, memory: Memory, library: ctypes.CDLL) -> None:
        library.hil_table_bytes.restype = ctypes.c_size_t
        self._library = library
        self._state = state
        self._table = mmap.mmap(-1, library.hil_table_bytes())
        _describe(state, memory)
        state.table = ctypes.addressof(ctypes.c_char.from_buffer(self._table))
        _add_native_hook(uc, UC_HOOK_BLOCK, library.hil_block, state)

    def flush(self) -> None:
        ctypes.memset(self._state.table, 0, len(self._table))


Resolve = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(EdgeRecord))


class NativeTimedCounter(Counter):
    """The hook of `native/timing.c`; Python prices an edge between blocks when it is first taken."""

    native = True

    def __init__(
        self, uc: Any, state: CoreState, memory: Memory, library: ctypes.CDLL, timing: TimingModel
    ) -> None:
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
        _describe(state, memory)
        t = timing.state
        t.core = ctypes.addressof(state)
        t.edges = ctypes.addressof(ctypes.c_char.from_buffer(self._edges))
        t.pool = ctypes.addressof(self._pool)
        t.resolve = _address_of(self._resolve)
        _add_native_hook(uc, UC_HOOK_BLOCK, library.hil_timed_block, t)
        if timing.exact:
            _add_native_hook(uc, UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, library.hil_access, t)

    def _on_resolve(self, _: Any, edge: Any) -> None:
        try:
            self._timing.fill(edge.contents, self._pool)
        except BaseException as error:  # it must not be lost in C
            self.failure = self.failure or error
            self._core.attention = 1

    def flush(self) -> None:
        ctypes.memset(self._timing.state.edges, 0, len(self._edges))
        self._timing.state.pool_used = 0


class PythonCounter(Counter):
    """The same logic, twenty to fifty times slower. Keep it in step with `native/block_hook.c`."""

    def __init__(self, uc: Any, state: CoreState, memory: Memory, reason: str) -> None:
        self.fallback_reason = reason
        self._state = state
        self._memory = memory
        self._blocks: dict[tuple[int, int], tuple[int, int]] = {}
        uc.hook_add(UC_HOOK_BLOCK, self._on_block)

    def flush(self) -> None:
        self._blocks.clear()

    def _on_block(self, uc: Any, address: int, size: int, _: Any) -> None:
        state = self._state
        reason = self._reason_to_stop(uc, address)
        instructions = flags = 0
        if not reason:
            instructions, flags = self._block(address, size)
            if flags & _BLOCK_FP and state.fpu_off:
                reason = HookReason.NO_FPU
        state.block_address, state.block_size = address, size
        if reason:
            state.reason = reason
            uc.emu_stop()
            return
        if flags & _BLOCK_SEV:
            state.event = 1
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

    def __init__(self, uc: Any, state: CoreState, memory: Memory, reason: str, timing: TimingModel) -> None:
        super().__init__(uc, state, memory, reason)
        self._timing = timing
        self._edges: dict[tuple[int, int, int], Any] = {}
        if timing.exact:
            uc.hook_add(UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, self._on_access)

    def flush(self) -> None:
        super().flush()
        self._edges.clear()

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

    def _on_access(self, uc: Any, kind: int, address: int, size: int, value: int, _: Any) -> None:
        self._timing.dynamic.caches.access(address & 0xFFFF_FFFF, size, kind == UC_MEM_WRITE)


def _describe(state: CoreState, memory: Memory) -> None:
    """Tells native code where memory is, and what it may call."""
    for window, region in zip(state.windows, memory.regions[:WINDOWS], strict=True):
        window.base, window.size, window.host = region.base, region.size, region.host_address
        # RAM can be rewritten by any store, so its blocks are looked at each time.
        window.constant = not region.writable
    state.emu_stop = _address_of(uclib.uc_emu_stop)
    state.reg_read = _address_of(uclib.uc_reg_read)


def _add_native_hook(uc: Any, kind: int, function: Any, user: ctypes.Structure) -> None:
    handle = ctypes.c_size_t()
    status = uclib.uc_hook_add(
        uc._uch,
        ctypes.byref(handle),
        kind,
        ctypes.c_void_p(_address_of(function)),
        ctypes.c_void_p(ctypes.addressof(user)),
        ctypes.c_uint64(1),
        ctypes.c_uint64(0),
    )
    if status:
        raise BoardError(f"Unicorn refused a native hook (error {status})")


def _address_of(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0
