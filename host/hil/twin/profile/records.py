"""The profile's state as C structures. Mirrored in `native/profile.h`."""

from __future__ import annotations

import ctypes
from enum import IntEnum

NODES, CROWD = 32768, 4096
SLOTS = 65536
FRAMES, FRAMES_EACH = 6144, 256
NOWHERE = 0xFFFF_FFFF
ENDS_CALLING, ENDS_INDIRECT = 1, 2
SLOT_TICKS = 50


class Class(IntEnum):
    """The parts of a CPI stack."""

    ISSUE = 0
    """Cycles in which instructions issue, one or two of them."""
    MAC = 1
    """Waiting for a product, or for the multiplier's port."""
    LOAD = 2
    """Waiting for a loaded word that was a hit."""
    BRANCH = 3
    """Wrong predictions, and what taken branches cost."""
    FETCH = 4
    """Instruction cache misses, flash wait states."""
    DATA = 5
    """Data cache misses, unaligned loads, peripherals."""
    BANK = 6
    """Two loads that issue together and meet in a bank."""
    OTHER = 7
    """FP, divisions, system instructions, address arithmetic; exception entry and return."""


class Node(ctypes.Structure):
    """A function in one context. `key` is its address; `start` to `end` its code, empty if unknown."""

    parent: int
    key: int
    start: int
    end: int
    calls: int
    instructions: int
    ticks: ctypes.Array[ctypes.c_uint64]

    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("parent", "key", "start", "end")),
        ("calls", ctypes.c_uint64),
        ("instructions", ctypes.c_uint64),
        ("ticks", ctypes.c_uint64 * len(Class)),
    )


class Frame(ctypes.Structure):
    """A function that has not returned."""

    node: int
    return_address: int
    sp: int

    _fields_ = tuple((name, ctypes.c_uint32) for name in ("node", "return_address", "sp"))


class Extent(ctypes.Structure):
    """The code of a function."""

    start: int
    end: int

    _fields_ = (("start", ctypes.c_uint32), ("end", ctypes.c_uint32))


class ProfileState(ctypes.Structure):
    """See the module. Frames below `floor` belong to what was interrupted."""

    slept_ticks: int
    seen_instructions: int
    seen: ctypes.Array[ctypes.c_uint64]
    stalls: ctypes.Array[ctypes.c_uint64]
    function_count: int
    node_count: int
    depth: int
    floor: int
    current: int
    ended: int
    ended_at: int

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("timing", "nodes", "slots", "frames", "functions")),
        ("slept_ticks", ctypes.c_uint64),
        ("seen_instructions", ctypes.c_uint64),
        ("seen", ctypes.c_uint64 * len(Class)),
        ("stalls", ctypes.c_uint64 * len(Class)),
        *((name, ctypes.c_uint32) for name in ("function_count", "node_count", "depth", "floor")),
        *((name, ctypes.c_uint32) for name in ("current", "ended", "ended_at", "reserved")),
    )
