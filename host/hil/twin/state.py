"""The counters that the block hook advances and the run loop reads: one C structure.

Mirrored in `native/block_hook.c`; both hooks, C and Python, work on it.
"""

from __future__ import annotations

import ctypes
from enum import IntEnum

NOT_WATCHING = 0xFFFFFFFF
NEVER = (1 << 64) - 1
WINDOWS = 6


class HookReason(IntEnum):
    """Why the block hook stopped the emulation."""

    NONE = 0
    DEADLINE = 1
    ATTENTION = 2
    LIMIT = 3
    NO_FPU = 4


class Window(ctypes.Structure):
    """A piece of executable memory as the hook sees it."""

    _fields_ = (
        ("base", ctypes.c_uint32),
        ("size", ctypes.c_uint32),
        ("host", ctypes.c_void_p),
        ("constant", ctypes.c_uint64),
    )


class CoreState(ctypes.Structure):
    """What the hook counts, and what makes it stop.

    `ticks` is virtual time in 1/100 core cycle, sleep included. `attention` stops at the next
    block. `watched_priority` is the priority of a pending exception that PRIMASK, BASEPRI or
    FAULTMASK hold back: the hook stops once they let it through. `flash_watch` stops before code in
    flash runs, because flash is busy or was rewritten.
    """

    ticks: int
    deadline: int
    instructions: int
    instruction_limit: int
    ticks_per_instruction: int
    attention: int
    watched_priority: int
    fpu_off: int
    event: int
    reason: int
    block_address: int
    block_size: int
    flash_watch: int

    _fields_ = (
        ("ticks", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("instructions", ctypes.c_uint64),
        ("instruction_limit", ctypes.c_uint64),
        ("ticks_per_instruction", ctypes.c_uint64),
        ("attention", ctypes.c_uint32),
        ("watched_priority", ctypes.c_uint32),
        ("fpu_off", ctypes.c_uint32),
        ("event", ctypes.c_uint32),
        ("reason", ctypes.c_uint32),
        ("block_address", ctypes.c_uint32),
        ("block_size", ctypes.c_uint32),
        ("flash_watch", ctypes.c_uint32),
        ("windows", Window * WINDOWS),
        ("table", ctypes.c_void_p),
        ("emu_stop", ctypes.c_void_p),
        ("reg_read", ctypes.c_void_p),
    )
