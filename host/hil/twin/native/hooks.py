"""Gives Unicorn a hook that is a C function, so that it is called without passing through Python."""

from __future__ import annotations

import ctypes
from typing import Any

from unicorn.unicorn_py3.unicorn import uclib

from hil.errors import BoardError
from hil.twin.memory import Memory
from hil.twin.state import WINDOWS, CoreState


def describe(state: CoreState, memory: Memory) -> None:
    """Tells native code where memory is, and what it may call."""
    for window, region in zip(state.windows, memory.regions[:WINDOWS], strict=True):
        window.base, window.size, window.host = region.base, region.size, region.host_address
        # RAM can be rewritten by any store, so its blocks are looked at each time.
        window.constant = not region.writable
    state.emu_stop = address_of(uclib.uc_emu_stop)
    state.reg_read = address_of(uclib.uc_reg_read)


def add_native_hook(uc: Any, kind: int, function: Any, user: ctypes.Structure) -> None:
    """Has `function` called with `user`. Raises BoardError."""
    handle = ctypes.c_size_t()
    status = uclib.uc_hook_add(
        uc._uch,
        ctypes.byref(handle),
        kind,
        ctypes.c_void_p(address_of(function)),
        ctypes.c_void_p(ctypes.addressof(user)),
        ctypes.c_uint64(1),
        ctypes.c_uint64(0),
    )
    if status:
        raise BoardError(f"Unicorn refused a native hook (error {status})")


def address_of(function: Any) -> int:
    """Where a C function, or one that ctypes wrapped, is."""
    return ctypes.cast(function, ctypes.c_void_p).value or 0
