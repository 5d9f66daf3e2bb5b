"""Exception entry and return (ARMv7-M ARM B1.5.6 to B1.5.8): frames, stacks and EXC_RETURN."""

from __future__ import annotations

import struct
from collections.abc import Callable

from hil.twin import fault_status as fs
from hil.twin.clock import Clock
from hil.twin.engine import Engine
from hil.twin.fault_status import Fault, usage_fault
from hil.twin.fault_unit import FaultUnit
from hil.twin.fp_context import CONTROL_CONTEXT, CONTROL_FPCA, FPCCR_LSPEN, FpContext
from hil.twin.frames import (
    BASIC_FRAME_BYTES,
    BROKEN_RETURN,
    CONTROL_NPRIV,
    CONTROL_SPSEL,
    EXC_RETURN_BASIC,
    EXC_RETURN_PSP,
    EXC_RETURN_THREAD,
    EXTENDED_FRAME_BYTES,
    XPSR_ALIGN,
    XPSR_IPSR,
    XPSR_KEPT,
    XPSR_T,
    Leaving,
)
from hil.twin.memory import Memory
from hil.twin.nvic import HARD_FAULT, NMI, Nvic
from hil.twin.observer import Observer
from hil.twin.protection import Protection

ENTRY_CYCLES = 12
RETURN_CYCLES = 12
"""Cycles from request to the first instruction of the handler and back (Cortex-M7 TRM, no wait
states); lazy FP stacking makes the FP frame free unless the handler uses the FPU."""


class ExceptionUnit:
    """Moves the core into handlers and back. `on_entry` lets virtual time catch up with an entry."""

    def __init__(
        self,
        engine: Engine,
        memory: Memory,
        nvic: Nvic,
        clock: Clock,
        faults: FaultUnit,
        fp: FpContext,
        protection: Protection,
    ) -> None:
        self._memory = memory
        self._nvic = nvic
        self._clock = clock
        self.faults = faults
        self.fp = fp
        self._protection = protection
        self.on_entry: Callable[[], None] = lambda: None
        self.vector_table = 0
        self.entries = 0
        """Exceptions entered since reset, for DWT_EXCCNT."""
        self.nested_thread = False
        """CCR.NONBASETHRDENA: a return to thread mode may leave handlers active."""
        self._hidden_masks: tuple[int, int, int] | None = None
        self.observer = Observer()
        general = ("R0", "R1", "R2", "R3", "R12", "LR", "PC", "XPSR")
        self._status = engine.registers("XPSR")
        self._control = engine.registers("CONTROL")
        self._context = engine.registers(*general, "SP", "CONTROL")
        # SP speaks of the interrupted code's stack until XPSR makes the core a handler; only then, as
        # unprivileged code cannot write it, CONTROL clears SPSEL and FPCA.
        self._handler = engine.registers("SP", "XPSR", "CONTROL", "LR", "PC")
        self._leaving = engine.registers("XPSR", "CONTROL", "MSP", "PSP", "SP", "FAULTMASK")
        # CONTROL first drops nPRIV: its last write, that of SPSEL, only counts in thread mode.
        self._resumed = engine.registers("CONTROL", "MSP", "PSP", *general, "CONTROL")
        self._masks = engine.registers("PRIMASK", "BASEPRI", "FAULTMASK")
        self._faultmask = engine.registers("FAULTMASK")

    @property
    def privileged(self) -> bool:
        """Whether the code that runs is privileged."""
        return self._protection.privileged

    def execution_priority(self, *, ignore_primask: bool = False) -> int:
        """The priority an exception must beat (ARMv7-M ARM B1.5.4); WFI ignores PRIMASK."""
        priority = self._nvic.active_priority()
        primask, basepri, faultmask = self._hidden_masks or self._masks.read()
        if basepri & 0xF0:
            priority = min(priority, self._nvic.masked_group(basepri & 0xF0))
        if primask & 1 and not ignore_primask:
            priority = min(priority, 0)
        return min(priority, -1) if faultmask & 1 else priority

    def enter(self, exception: int, pc: int | None = None, thumb: bool = True) -> None:
        """Stacks the context and goes to the handler of `exception`.

        `pc` and `thumb` replace what the core says of the interrupted code. Raises Fault, LockupError.
        """
        *frame, sp, control = self._context.read()
        if pc is not None:
            frame[6] = pc
        frame[7] = frame[7] & ~XPSR_T | (XPSR_T if thumb else 0)
        if not self.fp.automatic:
            control &= ~CONTROL_FPCA
        exc_return = 0xFFFF_FFE1
        if not control & CONTROL_FPCA:
            exc_return |= EXC_RETURN_BASIC
        if not frame[-1] & XPSR_IPSR:
            exc_return |= EXC_RETURN_THREAD
            if control & CONTROL_SPSEL:
                exc_return |= EXC_RETURN_PSP
        self.observer.entering(exception, sp)
        stacked, fault = self._push(frame, sp, bool(control & CONTROL_FPCA))
        self._clock.spend(ENTRY_CYCLES)
        self.on_entry()
        arrival = self._arrival(exception, fault)
        if arrival != exception:
            self.observer.chaining(arrival)
        self._go(arrival, exc_return, stacked, control)

    def leave(self, exc_return: int) -> bool:
        """Returns from a handler, or tail-chains; tells whether the core is in thread mode now.

        Raises Fault where the code returned to cannot run, and LockupError.
        """
        now = Leaving(*self._leaving.read())
        exception = now.xpsr & XPSR_IPSR
        problem = self._problem(exc_return, exception)
        self._nvic.leave(exception)
        self.observer.leaving()
        if now.faultmask and exception != NMI:
            self._faultmask.write(0)
        if problem:
            self._chain(usage_fault(fs.CFSR_INVPC, problem), BROKEN_RETURN | exc_return & 0x0FFF_FFFF, now)
            return False
        following = self._nvic.first_ready()
        if following is not None and self._nvic.group_priority(following) < self.execution_priority():
            self.observer.chaining(following)
            self._clock.spend(ENTRY_CYCLES)
            self._go(following, exc_return, now.sp, now.control)
            return False
        return self._pop(exc_return, now)

    def active_exception(self) -> int:
        """IPSR: the exception whose handler runs, 0 in thread mode."""
        return self._status.read()[0] & XPSR_IPSR

    def follow_control(self) -> None:
        """Firmware wrote CONTROL: it may have given up its privileges."""
        control = self._control.read()[0]
        xpsr = self._status.read()[0]
        privileged = bool(xpsr & XPSR_IPSR) or not control & CONTROL_NPRIV
        if not privileged and self._hidden_masks is None:
            # Unprivileged, the masks read as zero, to the host as well.
            self._status.write(xpsr | HARD_FAULT)
            primask, basepri, faultmask = self._masks.read()
            self._status.write(xpsr)
            self._control.write(control)
            self._hidden_masks = primask, basepri, faultmask
        self._follow(privileged, not control & CONTROL_FPCA)

    def reset(self) -> None:
        """Registers take their reset values."""
        self.entries = 0
        self.fp.reset()
        self.faults.reset()
        self._protection.reset()

    def restart(self) -> None:
        """The core was put into thread mode, privileged."""
        self._hidden_masks = None
        self._follow(privileged=True, fresh=True)

    def _problem(self, exc_return: int, exception: int) -> str:
        """What is wrong with a return, "" when nothing is (B1.5.8)."""
        if not self._nvic.active >> exception & 1:
            return f"return from exception {exception}, which is not active"
        low = exc_return & 0xF
        if exc_return & 0xFFFF_FFE0 != 0xFFFF_FFE0 or low not in (0x1, 0x9, 0xD):
            return f"0x{exc_return:08x} is no EXC_RETURN value"
        nested = self._nvic.active & ~(1 << exception)
        to_thread = bool(low & EXC_RETURN_THREAD)
        if to_thread and nested and not self.nested_thread:
            return f"EXC_RETURN 0x{exc_return:08x} leaves handlers that are still active"
        if not to_thread and not nested:
            return f"EXC_RETURN 0x{exc_return:08x} returns to a handler, and none is active"
        return ""

    def _push(self, registers: list[int], sp: int, fp: bool) -> tuple[int, Fault | None]:
        """Stores the frame; returns where it begins, and what went wrong."""
        # The frame is aligned to eight bytes, as CCR.STKALIGN is fixed to 1 on the Cortex-M7.
        aligned = (sp - (EXTENDED_FRAME_BYTES if fp else BASIC_FRAME_BYTES)) & ~7 & 0xFFFF_FFFF
        *general, xpsr = registers
        frame = struct.pack("<8I", *general, (xpsr & ~XPSR_ALIGN) | (XPSR_ALIGN if sp & 4 else 0))
        size = EXTENDED_FRAME_BYTES if fp else BASIC_FRAME_BYTES
        lazy = fp and self.fp.fpccr & FPCCR_LSPEN
        fault = self._protection.stack_fault(aligned, size, self.privileged, fs.CFSR_MSTKERR, fs.CFSR_STKERR)
        if fault is None:
            self._memory.write(aligned, frame + (self.fp.frame() if fp and not lazy else b""))
        if lazy:
            self.fp.reserve(aligned + BASIC_FRAME_BYTES, self.privileged, not xpsr & XPSR_IPSR)
        return aligned, fault

    def _arrival(self, exception: int, fault: Fault | None) -> int:
        """What is entered in the end: a fault of the stacking, or who came late, may be first."""
        if fault is not None:
            derived = self.faults.resolve(fault, self.execution_priority())
            first, second = sorted((exception, derived), key=self._nvic.order)
            if first != second:
                self._nvic.pend(second)
            exception = first
        late = self._nvic.first_ready()
        if late is not None and self._nvic.group_priority(late) < self._nvic.group_priority(exception):
            self._nvic.pend(exception)
            return late
        return exception

    def _chain(self, fault: Fault, lr: int, now: Leaving) -> None:
        """A return failed: its fault is taken with the frame left where it is."""
        number = self.faults.resolve(fault, self.execution_priority())
        self.observer.chaining(number)
        self._clock.spend(ENTRY_CYCLES)
        self._go(number, lr, now.sp, now.control)

    def _go(self, exception: int, exc_return: int, sp: int, control: int) -> None:
        """Fetches the vector and begins the handler."""
        entry = self.vector_table + 4 * exception
        if not self._memory.holds(entry, 4):
            cause = f"HardFault (VECTTBL): the vector table at 0x{self.vector_table:08x} is not in memory"
            urgent = exception in (NMI, HARD_FAULT)
            number = self.faults.resolve(
                Fault(cause, hfsr=fs.HFSR_VECTTBL), -1 if urgent else self.execution_priority()
            )
            self._nvic.pend(exception)
            self._go(number, exc_return, sp, control)
            return
        vector = self._memory.word(entry)
        self._nvic.enter(exception)
        self.entries += 1
        self._handler.write(sp, XPSR_T | exception, control & CONTROL_NPRIV, exc_return, vector & ~1)
        self._hidden_masks = None
        self._follow(privileged=True, fresh=True)
        if not vector & 1 or not self._memory.holds(vector & ~1, 2):
            raise self._bad_vector(exception, vector)

    @staticmethod
    def _bad_vector(exception: int, vector: int) -> Fault:
        cause = f"the vector of exception {exception} holds 0x{vector:08x}"
        if not vector & 1:
            return usage_fault(fs.CFSR_INVSTATE, cause, pc=vector, thumb=False)
        return Fault(
            f"BusFault (IBUSERR): {cause}", fs.BUS_FAULT, fs.CFSR_IBUSERR, kind="fetch", pc=vector & ~1
        )

    def _pop(self, exc_return: int, now: Leaving) -> bool:
        """Takes the context back from the stack; whether it is thread mode's."""
        fp = not exc_return & EXC_RETURN_BASIC
        to_thread = bool(exc_return & EXC_RETURN_THREAD)
        privileged = not (to_thread and now.control & CONTROL_NPRIV)
        on_psp = bool(exc_return & EXC_RETURN_PSP)
        sp = now.psp if on_psp else now.msp
        size = EXTENDED_FRAME_BYTES if fp else BASIC_FRAME_BYTES
        fault = self._unstacking_fault(sp, size, privileged)
        if fault is not None:
            self._chain(fault, exc_return, now)
            return False
        frame = self._memory.read(sp, size)
        *general, pc, xpsr = struct.unpack_from("<8I", frame)
        if bool(xpsr & XPSR_IPSR) == to_thread:
            problem = f"the stacked XPSR 0x{xpsr:08x} does not fit EXC_RETURN 0x{exc_return:08x}"
            self._chain(usage_fault(fs.CFSR_INVPC, problem), BROKEN_RETURN | exc_return & 0x0FFF_FFFF, now)
            return False
        sp += size + (4 if xpsr & XPSR_ALIGN else 0)
        if fp:
            self.fp.restore(frame[BASIC_FRAME_BYTES:])
        status = (xpsr & (XPSR_KEPT | XPSR_IPSR)) | XPSR_T
        npriv = now.control & CONTROL_NPRIV
        control = npriv | (CONTROL_SPSEL if on_psp else 0) | (CONTROL_CONTEXT if fp else 0)
        banked = (now.msp, sp) if on_psp else (sp, now.psp)
        self._clock.spend(RETURN_CYCLES)
        self._resume(banked, [*general, pc & ~1, status], control, privileged)
        if not xpsr & XPSR_T:
            cause = f"return to 0x{pc:08x} with a stacked XPSR of 0x{xpsr:08x}"
            raise usage_fault(fs.CFSR_INVSTATE, cause, pc=pc & ~1, thumb=False)
        return to_thread

    def _resume(self, banked: tuple[int, int], general: list[int], control: int, privileged: bool) -> None:
        primask, basepri, faultmask = self._masks.read()
        self._resumed.write(0, *banked, *general, control)
        self._hidden_masks = None if privileged else (primask, basepri, faultmask)
        self._follow(privileged, not control & CONTROL_FPCA)
        self.observer.resumed(banked[1] if control & CONTROL_SPSEL else banked[0])

    def _unstacking_fault(self, sp: int, size: int, privileged: bool) -> Fault | None:
        if not self._protection.allows("read", sp, size, privileged):
            cause = f"MemManage: the MPU forbids the frame at 0x{sp:08x}"
            return Fault(cause, fs.MEM_MANAGE, fs.CFSR_MUNSTKERR)
        if not self._memory.holds(sp, size):
            cause = f"BusFault: exception return reads from 0x{sp:08x}, which is no memory"
            return Fault(cause, fs.BUS_FAULT, fs.CFSR_UNSTKERR)
        return None

    def _follow(self, privileged: bool, fresh: bool) -> None:
        urgent = bool(self._nvic.active & (1 << NMI | 1 << HARD_FAULT))
        self._protection.follow(privileged, urgent)
        self.fp.follow(privileged, fresh)
