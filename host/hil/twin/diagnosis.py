"""Why Unicorn stopped, as a Fault: failed accesses, undefined instructions, traps of the block hook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hil.twin import fault_status as fs
from hil.twin import traps
from hil.twin.bus import BusFaultError
from hil.twin.engine import BadAccess, Engine
from hil.twin.exceptions import ExceptionUnit
from hil.twin.fault_status import Fault, usage_fault
from hil.twin.gate import Gate
from hil.twin.machine import Machine
from hil.twin.nvic import SVCALL
from hil.twin.peripherals.scb import Scb
from hil.twin.protection import Protection
from hil.twin.traps import Trap

INSTRUCTIONS_MAX = 600
"""More than a block of one page holds."""


class Diagnosis:
    """Judges stops of the engine; every method raises the Fault that it finds."""

    def __init__(
        self,
        machine: Machine,
        engine: Engine,
        exceptions: ExceptionUnit,
        protection: Protection,
        gate: Gate,
        scb: Scb,
    ) -> None:
        self._machine = machine
        self._state = machine.state
        self._memory = machine.memory
        self._engine = engine
        self._exceptions = exceptions
        self._protection = protection
        self._gate = gate
        self._scb = scb
        self._hooks: dict[int, Any] = {}
        self._everywhere: Any = None
        self._registers = engine.registers(*(f"R{n}" for n in range(13)), "SP", "LR", "PC")
        scb.on_traps = self._on_traps

    def _on_traps(self) -> None:
        if self._scb.traps != self._state.traps:
            self._machine.later(self.follow_traps)

    def follow_traps(self) -> None:
        """CCR traps something else: its instructions need hooks, or do not any more."""
        wanted = self._scb.traps
        if wanted == self._state.traps:
            return
        self._state.traps = wanted
        counter = self._engine.counter
        if wanted & Trap.UNALIGNED and self._everywhere is None:
            self._everywhere = counter.hook_instructions(self._engine.uc, 1, 0)
        elif not wanted & Trap.UNALIGNED and self._everywhere is not None:
            self._engine.remove_hook(self._everywhere)
            self._everywhere = None
        self._engine.flush()

    def hook_places(self) -> None:
        """The block that comes next has instructions to be hooked one by one."""
        address, size = self._state.block_address, self._state.block_size
        code = self._memory.read(address, size)
        for offset in traps.places(code, self._state.traps):
            place = address + offset
            if place not in self._hooks:
                self._hooks[place] = self._engine.counter.hook_instructions(self._engine.uc, place, place)
        self._engine.retranslate(address, size)
        self._engine.counter.set_placed(address)

    def trap(self) -> None:
        """An instruction of the next block is about to trap: goes up to it."""

        def found(first: int, second: int) -> Fault | None:
            trap = traps.violation(first, second, self._registers.read().__getitem__, self._state.traps)
            if trap is Trap.DIVIDE:
                return usage_fault(fs.CFSR_DIVBYZERO, "division by zero")
            if trap is Trap.UNALIGNED:
                return usage_fault(fs.CFSR_UNALIGNED, "access to an address that is not aligned")
            return None

        self._advance(found)

    def fpu(self) -> None:
        """An FP instruction is in the next block, and the FPU is off or keeps another's context."""
        if self._exceptions.fp.usable:
            self._exceptions.fp.use()
            return

        def found(first: int, second: int) -> Fault | None:
            if first & 0xEC00 == 0xEC00 and second & 0x0E00 == 0x0A00:
                return usage_fault(fs.CFSR_NOCP, "FPU instruction before CPACR enables the FPU")
            return None

        self._advance(found)

    def _advance(self, found: Callable[[int, int], Fault | None]) -> None:
        """Steps through the block until an instruction faults; not where an IT decides about it."""
        start, size = self._state.block_address, self._state.block_size
        conditional = 0
        for _ in range(INSTRUCTIONS_MAX):
            pc = self._engine.pc
            if not start <= pc < start + size or not self._memory.holds(pc, 2):
                return
            code = self._memory.read(pc, 4) if self._memory.holds(pc, 4) else self._memory.read(pc, 2)
            _, first, second = next(traps.halfwords(code))
            fault = found(first, second) if not conditional else None
            if fault is not None:
                raise fault
            conditional = max(conditional - 1, traps.conditional_after(first))
            if self._step():
                return

    def _step(self) -> bool:
        """One instruction; whether it left the straight way."""
        try:
            status = self._engine.step()
        except BusFaultError as error:
            self.failed_access(BadAccess(error.kind, error.address, error.size))
            return True
        if self._engine.bad_access is not None:
            self.failed_access(self._engine.bad_access)
        elif status:
            raise self.undefined()
        return bool(status) or self._engine.interrupt is not None

    def failed_access(self, access: BadAccess) -> None:
        """Nothing answered, or a page's rights forbade it."""
        kind, address, size = access.kind, access.address, access.size
        fault = self._protection.violation(kind, address, size)
        if fault is not None:
            self._engine.forget_pages()
            raise fault
        if self._protection.step_through(access):
            return
        region = self._memory.region(address)
        where = f" in {region.name}" if region is not None else ""
        name = "BusFault" if region is None else "BusFault (read-only memory)"
        cause = f"{name}: {kind} of {size} bytes at 0x{address:08x}{where}"
        if kind == "fetch":
            raise Fault(cause, fs.BUS_FAULT, fs.CFSR_IBUSERR, kind=kind)
        precise = Fault(cause, fs.BUS_FAULT, fs.CFSR_PRECISERR, address, kind=kind)
        ignored = self._scb.ignores_bus_faults and self._exceptions.execution_priority() < 0
        if region is not None or not self._exceptions.faults.deliver:
            raise precise
        if kind == "read" and not ignored:
            raise precise
        pc = self._engine.pc
        self._pass_over(address)
        if not ignored:
            # The store buffer has let the instruction go: nobody knows which it was (TRM 5.2.2).
            late = Fault(cause, fs.BUS_FAULT, fs.CFSR_IMPRECISERR, kind=kind, pc=pc)
            self._exceptions.faults.pend(late)

    def _pass_over(self, address: int) -> None:
        """Executes the instruction as if something were there."""
        self._gate.tolerant = True
        try:
            self._engine.with_blank_pages(address, self._engine.step)
        finally:
            self._gate.tolerant = False

    def supervisor_call(self) -> None:
        """SVC: enters its handler, or faults where that would have to wait."""
        if self._machine.nvic.group_priority(SVCALL) < self._exceptions.execution_priority():
            self._exceptions.enter(SVCALL)
            return
        cause = "HardFault: SVC where its priority is masked"
        raise Fault(cause, hfsr=fs.HFSR_FORCED, pc=self._engine.pc - 2)

    def undefined(self) -> Fault:
        """The core's instruction is none, or the core is not in Thumb state."""
        pc = self._engine.pc
        xpsr = self._engine.registers("XPSR").read()[0]
        if not xpsr >> 24 & 1:
            cause = "branch to an address without the Thumb bit"
            return usage_fault(fs.CFSR_INVSTATE, cause, thumb=False)
        code = self._memory.read(pc, 4) if self._memory.holds(pc, 4) else b""
        shown = " ".join(f"{int.from_bytes(code[i : i + 2], 'little'):04x}" for i in range(0, len(code), 2))
        return usage_fault(fs.CFSR_UNDEFINSTR, f"undefined instruction {shown}")

    def forbidden_fetch(self) -> Fault:
        """Code where the default map does not execute."""
        pc = self._engine.pc
        fault = self._protection.violation("fetch", pc, 2)
        cause = f"BusFault (IBUSERR): instruction fetch at 0x{pc:08x}"
        return fault or Fault(cause, fs.BUS_FAULT, fs.CFSR_IBUSERR, kind="fetch")
