"""Unicorn as an ARMv7-M core: the only file that calls it, next to the block hook.

What Unicorn 2.1.4 does and does not, as tried:

* WFI ends `emu_start` without error, PC behind it. WFE and YIELD end it with INSN_INVALID, PC also
  behind; a truly undefined instruction leaves PC on it.
* SVC, BKPT, EXC_RETURN and an unaligned LDREX arrive at the interrupt hook as 2, 7, 8 and 4. No
  stacking and no vector fetch happen: that is `exceptions.py`. EXC_RETURN is in PC, bit 0 cleared.
* Writing XPSR sets IPSR, the flags and the IT state; writing IPSR alone clears T. Handler mode
  follows IPSR, and SP then is MSP whatever CONTROL.SPSEL says. CONTROL.FPCA can be cleared and is
  set again by the next FP instruction. CONTROL reads with bit 3 (SFPA) when FPCA is set.
* The FPU is on regardless of CPACR, which QEMU keeps inside: the block hook looks for FP
  instructions while firmware has not enabled them.
* PC is stale inside an MMIO callback, and `emu_stop` there ends on the accessing instruction, which
  would repeat it. So peripherals never stop the core; they ask for attention at the next block.
  Only faults stop at once, and then PC is exact. Memory faults leave PC exact too.
* A store to a page that `uc_mem_protect` made read-only comes to the hook with its value. When the
  hook answers True the store is discarded and the program goes on: so flash is programmed. (A page
  mapped read-only from the start takes the store.) An unaligned store comes whole, and then again
  byte by byte. Protection must not change inside a callback: Unicorn crashes.
* Loads of a page without permissions are refused once the TLB is flushed; code that is already
  translated runs on, so fetches are the block hook's business (`flash_watch`).
* LDM, STM, LDRD and VLDR accept unaligned addresses, where silicon raises a UsageFault.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import unicorn
from unicorn import arm_const as arm
from unicorn.unicorn_py3 import unicorn as binding

from hil import interrupts
from hil.errors import BoardError
from hil.twin import counter
from hil.twin.flash_array import Rewritten
from hil.twin.memory import FLASH_ALIAS_BASE, FLASH_BASE, FLASH_BYTES, Memory
from hil.twin.state import CoreState
from hil.twin.timing.model import TimingModel

INTERRUPT_PREFETCH_ABORT = 3
INTERRUPT_DATA_ABORT = 4
INTERRUPT_SVC = 2
INTERRUPT_BKPT = 7
INTERRUPT_EXCEPTION_EXIT = 8

NEVER_REACHED = 0xFFFF_FFFE

uc_api: Any = unicorn
"""The binding declares types for some of its functions only."""

_ACCESS_KINDS = {
    uc_api.UC_MEM_READ_UNMAPPED: "read",
    uc_api.UC_MEM_WRITE_UNMAPPED: "write",
    uc_api.UC_MEM_FETCH_UNMAPPED: "fetch",
    uc_api.UC_MEM_READ_PROT: "read",
    uc_api.UC_MEM_WRITE_PROT: "write",
    uc_api.UC_MEM_FETCH_PROT: "fetch",
}

_READ_ONLY = uc_api.UC_PROT_READ | uc_api.UC_PROT_EXEC

ReadRegister = Callable[[int, int], int]
WriteRegister = Callable[[int, int, int], None]
StoreFlash = Callable[[int, bytes], None]


@dataclass(frozen=True)
class BadAccess:
    """An access that no memory and no peripheral answers."""

    kind: str
    address: int
    size: int


class Registers:
    """A set of core registers, moved between Unicorn and Python in one call."""

    def __init__(self, handle: Any, names: Sequence[str]) -> None:
        count = len(names)
        self._handle = handle
        self._count = count
        self._ids = (ctypes.c_int32 * count)(*(getattr(arm, f"UC_ARM_REG_{name}") for name in names))
        self._values = (ctypes.c_uint64 * count)()
        base = ctypes.addressof(self._values)
        self._pointers = (ctypes.c_void_p * count)(*(base + 8 * i for i in range(count)))

    def read(self) -> list[int]:
        """The values, in the order of the names."""
        binding.uclib.uc_reg_read_batch(self._handle, self._ids, self._pointers, self._count)
        return list(self._values)

    def write(self, *values: int) -> None:
        """Sets all of them, in the order of the names."""
        self._values[:] = list(values)
        binding.uclib.uc_reg_write_batch(self._handle, self._ids, self._pointers, self._count)


class Engine:
    """One emulated core with its memory and the callbacks that leave it."""

    def __init__(
        self,
        memory: Memory,
        state: CoreState,
        native: bool | None,
        timing: TimingModel | None = None,
    ) -> None:
        self.uc: Any = uc_api.Uc(uc_api.UC_ARCH_ARM, uc_api.UC_MODE_THUMB | uc_api.UC_MODE_MCLASS)
        self.uc.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M7)
        self.handle = self.uc._uch
        self.memory = memory
        self.interrupt: int | None = None
        self.bad_access: BadAccess | None = None
        self._failure: BaseException | None = None
        self._callbacks: list[Any] = []
        self.on_flash_store: StoreFlash = lambda address, data: None
        """Takes the core's stores to flash on the AXI port."""
        self.flash_guarded = False
        self._repeated_bytes = range(0)
        for region in memory.regions:
            self.uc.mem_map_ptr(region.base, region.size, uc_api.UC_PROT_ALL, region.host_address)
            if not region.writable:
                self.uc.mem_protect(region.base, region.size, _READ_ONLY)
        self.counter = counter.install(self.uc, state, memory, native, timing)
        self._hook(uc_api.UC_HOOK_INTR, binding.HOOK_INTR_CFUNC, self._on_interrupt)
        invalid = uc_api.UC_HOOK_MEM_UNMAPPED | uc_api.UC_HOOK_MEM_PROT
        self._hook(invalid, binding.HOOK_MEM_INVALID_CFUNC, self._on_bad_access)
        self._pc = self.registers("PC")

    def registers(self, *names: str) -> Registers:
        """A batch of registers by their Unicorn names, such as "R0" or "XPSR"."""
        return Registers(self.handle, names)

    @property
    def pc(self) -> int:
        """Where the core is, or would be after a stop."""
        return self._pc.read()[0]

    def run(self, count: int = 0) -> int:
        """Runs from PC until something stops it; returns Unicorn's error, 0 for a clean stop.

        Anything but 0 as `count` ends it after so many instructions. Raises what a
        peripheral's callback raised.
        """
        self.interrupt = None
        self.bad_access = None
        with interrupts.shield():
            status: int = binding.uclib.uc_emu_start(self.handle, self.pc | 1, NEVER_REACHED, 0, count)
        failure = self._failure or self.counter.failure
        if failure is not None:
            self._failure = self.counter.failure = None
            raise failure
        return status

    def map_peripherals(self, base: int, size: int, read: ReadRegister, write: WriteRegister) -> None:
        """Sends accesses to `size` bytes from `base` to `read(address, size)` and `write(…, value)`."""

        def on_read(_: Any, offset: int, width: int, __: Any) -> int:
            try:
                return read(base + offset, width)
            except BaseException as error:  # whatever it is must not be lost in C
                self._fail(error)
                return 0

        def on_write(_: Any, offset: int, width: int, value: int, __: Any) -> None:
            try:
                write(base + offset, width, value)
            except BaseException as error:
                self._fail(error)

        callbacks = binding.MMIO_READ_CFUNC(on_read), binding.MMIO_WRITE_CFUNC(on_write)
        self._callbacks += callbacks
        pointers = [ctypes.cast(callback, ctypes.c_void_p) for callback in callbacks]
        status = binding.uclib.uc_mmio_map(self.handle, base, size, pointers[0], None, pointers[1], None)
        if status:
            raise BoardError(f"Unicorn refused the peripherals at 0x{base:08x} (error {status})")

    def guard_flash(self, guard: bool) -> None:
        """Refuses loads from flash, or lets them through. Not for callbacks."""
        if guard == self.flash_guarded:
            return
        self.flash_guarded = guard
        for base in (FLASH_BASE, FLASH_ALIAS_BASE):
            self.uc.mem_protect(base, FLASH_BYTES, uc_api.UC_PROT_NONE if guard else _READ_ONLY)
        self.uc.ctl(uc_api.UC_CTL_TLB_FLUSH, uc_api.UC_CTL_IO_WRITE)

    def flush(self) -> None:
        """Forgets all translations: the host changed code."""
        self.uc.ctl_flush_tb()
        self.counter.flush()

    def forget(self, rewritten: list[Rewritten]) -> None:
        """Forgets what was translated from rewritten flash, and empties the list."""
        if not all(part.was_erased for part in rewritten):
            self.flush()
        else:
            for part in rewritten:
                for base in (FLASH_BASE, FLASH_ALIAS_BASE):
                    offset = base - FLASH_BASE
                    self.uc.ctl_remove_cache(part.start + offset, part.end + offset)
        rewritten.clear()

    def require_open(self) -> None:
        """Raises BoardError after `close`, where Unicorn would crash."""
        if self.uc is None:
            raise BoardError("the twin was closed", "start a new one")

    def close(self) -> None:
        """Gives the emulator's memory back; the engine cannot run any more."""
        # Dropping the last reference closes Unicorn: its finaliser owns the handle.
        self.uc = None
        self._callbacks.clear()

    def _hook(self, kind: int, prototype: Any, function: Callable[..., Any]) -> None:
        callback = prototype(function)
        self._callbacks.append(callback)
        handle = ctypes.c_size_t()
        pointer = ctypes.cast(callback, ctypes.c_void_p)
        everywhere = ctypes.c_uint64(1), ctypes.c_uint64(0)
        status = binding.uclib.uc_hook_add(
            self.handle, ctypes.byref(handle), kind, pointer, None, *everywhere
        )
        if status:
            raise BoardError(f"Unicorn refused a hook (error {status})")

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        binding.uclib.uc_emu_stop(self.handle)

    def _on_interrupt(self, _: Any, number: int, __: Any) -> None:
        try:
            self.interrupt = number
            binding.uclib.uc_emu_stop(self.handle)
        except BaseException as error:  # Ctrl-C arrives wherever Python runs
            self._fail(error)

    def _on_bad_access(self, _: Any, kind: int, address: int, size: int, value: int, __: Any) -> bool:
        try:
            if kind == uc_api.UC_MEM_WRITE_PROT and 0 <= address - FLASH_BASE < FLASH_BYTES:
                self._store_flash(address, size, value)
                return True
            self.bad_access = BadAccess(_ACCESS_KINDS.get(kind, "access"), address & 0xFFFF_FFFF, size)
        except BaseException as error:
            self._fail(error)
        return False

    def _store_flash(self, address: int, size: int, value: int) -> None:
        """Passes on a store, without the bytes in which Unicorn repeats an unaligned one."""
        if size == 1 and len(self._repeated_bytes) and address == self._repeated_bytes[0]:
            self._repeated_bytes = self._repeated_bytes[1:]
            return
        self._repeated_bytes = range(address, address + size) if address % size else range(0)
        self.on_flash_store(address, (value & ((1 << 8 * size) - 1)).to_bytes(size, "little"))
