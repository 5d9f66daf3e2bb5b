"""Gives Unicorn a C function as a hook, and the C function what it needs to know."""

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


def add_native_hook(
    uc: Any, kind: int, function: Any, user: ctypes.Structure, first: int = 1, last: int = 0
) -> Any:
    """Calls `function` from `first` to `last`, everywhere by default; returns Unicorn's handle."""
    handle = ctypes.c_size_t()
    status = uclib.uc_hook_add(
        uc._uch,
        ctypes.byref(handle),
        kind,
        ctypes.c_void_p(address_of(function)),
        ctypes.c_void_p(ctypes.addressof(user)),
        ctypes.c_uint64(first),
        ctypes.c_uint64(last),
    )
    if status:
        raise BoardError(f"Unicorn refused a native hook (error {status})")
    return handle


def address_of(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0
