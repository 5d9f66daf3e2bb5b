"""Installs the block hook: the native one, or the same logic in Python."""

from __future__ import annotations

import ctypes
import mmap
from typing import Any

from unicorn import UC_HOOK_BLOCK
from unicorn import arm_const as arm
from unicorn.unicorn_py3.unicorn import uclib

from hil.errors import BoardError
from hil.twin.memory import Memory
from hil.twin.native import build
from hil.twin.state import NOT_WATCHING, WINDOWS, CoreState, HookReason

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


def install(uc: Any, state: CoreState, memory: Memory, native: bool | None) -> Counter:
    """Puts the block hook on `uc`. Raises BoardError when `native` is demanded and cannot be had."""
    library, reason = build.load() if native is not False else (None, "asked for")
    if library is not None and library.hil_state_bytes() != ctypes.sizeof(CoreState):
        library, reason = None, "the structures in state.py and block_hook.c differ"
    if library is not None:
        return NativeCounter(uc, state, memory, library)
    if native:
        raise BoardError(f"the twin's native block hook is missing: {reason}", "install a C compiler")
    return PythonCounter(uc, state, memory, reason)


class Counter:
    """The block hook in place. `fallback_reason` says why it is not the native one."""

    native = False
    fallback_reason = ""

    def flush(self) -> None:
        """Forgets decoded blocks: flash was rewritten."""
        raise NotImplementedError


class NativeCounter(Counter):
    """The hook of `native/block_hook.c`, called by Unicorn without passing through Python."""

    native = True

    def __init__(self, uc: Any, state: CoreState, memory: Memory, library: ctypes.CDLL) -> None:
        library.hil_table_bytes.restype = ctypes.c_size_t
        self._library = library
        self._state = state
        self._table = mmap.mmap(-1, library.hil_table_bytes())
        for window, region in zip(state.windows, memory.regions[:WINDOWS], strict=True):
            window.base, window.size, window.host = region.base, region.size, region.host_address
            # RAM can be rewritten by any store, so its blocks are decoded each time.
            window.constant = not region.writable
        state.table = ctypes.addressof(ctypes.c_char.from_buffer(self._table))
        state.emu_stop = _address_of(uclib.uc_emu_stop)
        state.reg_read = _address_of(uclib.uc_reg_read)
        hook = ctypes.c_void_p(_address_of(library.hil_block))
        handle = ctypes.c_size_t()
        user = ctypes.c_void_p(ctypes.addressof(state))
        status = uclib.uc_hook_add(
            uc._uch,
            ctypes.byref(handle),
            UC_HOOK_BLOCK,
            hook,
            user,
            ctypes.c_uint64(1),
            ctypes.c_uint64(0),
        )
        if status:
            raise BoardError(f"Unicorn refused the block hook (error {status})")

    def flush(self) -> None:
        ctypes.memset(self._state.table, 0, len(self._table))


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
        reason = self._reason_to_stop(uc)
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
        state.ticks += instructions * state.ticks_per_instruction

    def _reason_to_stop(self, uc: Any) -> HookReason:
        state = self._state
        if state.attention:
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


def _address_of(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0
