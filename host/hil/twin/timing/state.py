"""The cycle model's state as one C structure. Mirrored in `native/timing.h`."""

from __future__ import annotations

import ctypes
from enum import IntFlag

EDGES_PER_TABLE = 131072
BRANCHES = 4096
I_SETS, I_WAYS = 64, 2
D_SETS, D_WAYS = 32, 4
ART_LINES = 64
LINE_BYTES = 32
BEAT_BYTES = 8
LINE_VALID, LINE_DIRTY = 1, 2
RANDOM_SEED = 0x2545F491

EDGE_BACKWARD, EDGE_TAKEN, EDGE_ENDS_CALLING, EDGE_ENDS_INDIRECT = 4, 8, 128, 256


class Feature(IntFlag):
    """The parts of the dynamic model that run."""

    BRANCH = 1
    FETCH = 2
    DATA = 4
    """Caches and alignment, with addresses from formulas."""
    EXACT = 8
    """The same with addresses from memory hooks: slow, and the judge of DATA."""


class AccessRecord(ctypes.Structure):
    """One `addresses.Access`."""

    _fields_ = (
        ("source", ctypes.c_uint8),
        ("index", ctypes.c_uint8),
        ("shift", ctypes.c_uint8),
        ("flags", ctypes.c_uint8),
        ("offset", ctypes.c_int32),
        ("bytes", ctypes.c_uint8),
        ("temporary", ctypes.c_uint8),
        ("reserved", ctypes.c_uint16),
    )


EDGE_STALLS = ("mac_slots", "load_slots", "other_slots", "branch_ticks", "bank_ticks")


class EdgeRecord(ctypes.Structure):
    """One `blocks.Edge` in the table of the native hook."""

    previous: int
    address: int
    size: int
    flags: int

    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("previous", "address", "size", "instructions")),
        *((name, ctypes.c_uint32) for name in ("flags", "ticks", "meetings_ticks", "penalty_ticks")),
        ("first_access", ctypes.c_uint32),
        *((name, ctypes.c_uint16) for name in ("accesses", "registers", "flow", *EDGE_STALLS)),
        ("unresolved", ctypes.c_uint32),
        ("digest", ctypes.c_uint64),
    )


TICK_COUNTERS = ("issue_ticks", "branch_ticks", "fetch_ticks", "data_ticks", "bank_ticks")
EVENT_COUNTERS = (
    "branches", "mispredictions", "fetch_misses", "accesses", "unresolved", "load_misses", "store_misses",
    "write_backs", "unaligned",
)  # fmt: skip
_POSITION = ("features", "pool_used", "previous", "previous_size")
SWITCHES = ("i_cache", "d_cache", "art", "prefetch")
COSTS = (
    "flash_fill_ticks", "flash_beat_ticks", "art_miss_ticks", "sram_fill_ticks", "sram_beat_ticks",
    "write_back_ticks", "store_miss_ticks", "unaligned_ticks", "bank_ticks_each",
    "peripheral_read_ticks", "peripheral_write_ticks", "private_read_ticks",
)  # fmt: skip
_CACHE_POSITION = ("random", "open_line", "fetch_line", "art_line")


class TimingState(ctypes.Structure):
    """See the module."""

    issue_ticks: int
    branch_ticks: int
    fetch_ticks: int
    data_ticks: int
    bank_ticks: int
    branches: int
    mispredictions: int
    fetch_misses: int
    accesses: int
    unresolved: int
    load_misses: int
    store_misses: int
    write_backs: int
    unaligned: int
    features: int
    pool_used: int
    previous: int
    previous_size: int
    i_cache: int
    d_cache: int
    art: int
    prefetch: int
    flash_fill_ticks: int
    flash_beat_ticks: int
    art_miss_ticks: int
    sram_fill_ticks: int
    sram_beat_ticks: int
    write_back_ticks: int
    store_miss_ticks: int
    unaligned_ticks: int
    bank_ticks_each: int
    peripheral_read_ticks: int
    peripheral_write_ticks: int
    private_read_ticks: int
    random: int
    open_line: int
    fetch_line: int
    art_line: int
    i_lines: ctypes.Array[ctypes.c_uint32]
    d_lines: ctypes.Array[ctypes.c_uint32]
    art_lines: ctypes.Array[ctypes.c_uint32]
    targets: ctypes.Array[ctypes.c_uint32]
    counters: ctypes.Array[ctypes.c_uint8]

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("core", "edges", "pool", "last", "resolve")),
        *((name, ctypes.c_uint64) for name in (*TICK_COUNTERS, *EVENT_COUNTERS)),
        *((name, ctypes.c_uint32) for name in (*_POSITION, *SWITCHES, *COSTS, *_CACHE_POSITION)),
        ("i_lines", ctypes.c_uint32 * (I_SETS * I_WAYS)),
        ("d_lines", ctypes.c_uint32 * (D_SETS * D_WAYS)),
        ("art_lines", ctypes.c_uint32 * ART_LINES),
        ("targets", ctypes.c_uint32 * BRANCHES),
        ("counters", ctypes.c_uint8 * BRANCHES),
    )
