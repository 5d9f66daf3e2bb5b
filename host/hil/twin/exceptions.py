"""Exception entry and return (ARMv7-M ARM B1.5.6 to B1.5.8): frames, stacks and EXC_RETURN."""

from __future__ import annotations

import struct

from hil.twin.clock import Clock
from hil.twin.engine import Engine
from hil.twin.memory import Memory
from hil.twin.nvic import NMI, Nvic
from hil.twin.observer import Observer

ENTRY_CYCLES = 12
RETURN_CYCLES = 12
"""Cycles from request to the first instruction of the handler and back (Cortex-M7 TRM, no wait
states); lazy FP stacking makes the FP frame free unless the handler uses the FPU."""

CONTROL_NPRIV = 1 << 0
CONTROL_SPSEL = 1 << 1
CONTROL_FPCA = 1 << 2
XPSR_T = 1 << 24
XPSR_IPSR = 0x1FF
XPSR_ALIGN = 1 << 9
XPSR_KEPT = 0xFF0F_FC00
"""Flags, GE and IT state; bit 9 of a stacked XPSR says that the frame was aligned by four bytes."""

EXC_RETURN_THREAD = 1 << 3
EXC_RETURN_PSP = 1 << 2
EXC_RETURN_BASIC = 1 << 4

BASIC_FRAME_BYTES = 8 * 4
EXTENDED_FRAME_BYTES = 26 * 4


class ExceptionError(Exception):
    """The core cannot enter or leave an exception; the message says why."""


class ExceptionUnit:
    """Moves the core into handlers and back."""

    def __init__(self, engine: Engine, memory: Memory, nvic: Nvic, clock: Clock) -> None:
        self._memory = memory
        self._nvic = nvic
        self._clock = clock
        self.vector_table = 0
        self.observer = Observer()
        general = ("R0", "R1", "R2", "R3", "R12", "LR", "PC", "XPSR")
        self._status = engine.registers("XPSR")
        self._context = engine.registers(*general, "SP", "CONTROL")
        # SP before CONTROL, which clears SPSEL and FPCA: handlers run on MSP, without FP context.
        self._handler = engine.registers("SP", "CONTROL", "XPSR", "LR", "PC")
        self._leaving = engine.registers("XPSR", "CONTROL", "MSP", "PSP", "SP", "FAULTMASK")
        # XPSR before CONTROL: SPSEL can only be written once the core is back in thread mode.
        self._resumed = engine.registers("MSP", "PSP", *general, "CONTROL")
        self._masks = engine.registers("PRIMASK", "BASEPRI", "FAULTMASK")
        self._faultmask = engine.registers("FAULTMASK")
        self._fp = engine.registers(*(f"D{i}" for i in range(8)), "FPSCR")

    def execution_priority(self, *, ignore_primask: bool = False) -> int:
        """The priority an exception must beat (ARMv7-M ARM B1.5.4); WFI ignores PRIMASK."""
        priority = self._nvic.active_priority()
        primask, basepri, faultmask = self._masks.read()
        if basepri & 0xF0:
            priority = min(priority, self._nvic.masked_group(basepri & 0xF0))
        if primask & 1 and not ignore_primask:
            priority = min(priority, 0)
        return min(priority, -1) if faultmask & 1 else priority

    def enter(self, exception: int) -> None:
        """Stacks the context and goes to the handler of `exception`."""
        *frame, sp, control = self._context.read()
        exc_return = 0xFFFF_FFE1
        if not control & CONTROL_FPCA:
            exc_return |= EXC_RETURN_BASIC
        if not frame[-1] & XPSR_IPSR:
            exc_return |= EXC_RETURN_THREAD
            if control & CONTROL_SPSEL:
                exc_return |= EXC_RETURN_PSP
        self.observer.entering(exception, sp)
        self._go(exception, exc_return, self._push(frame, sp, control), control)

    def leave(self, exc_return: int) -> bool:
        """Returns from a handler, or tail-chains; tells whether the core is in thread mode now."""
        xpsr, control, msp, psp, sp, faultmask = self._leaving.read()
        exception = xpsr & XPSR_IPSR
        to_thread = self._check(exc_return, exception)
        self._nvic.leave(exception)
        self.observer.leaving()
        if faultmask and exception != NMI:
            self._faultmask.write(0)
        following = self._nvic.first_ready()
        if following is not None and self._nvic.group_priority(following) < self.execution_priority():
            self.observer.chaining(following)
            self._go(following, exc_return, sp, control)
            return False
        self._clock.spend(RETURN_CYCLES)
        self._pop(exc_return, to_thread, (msp, psp), control)
        return to_thread

    def active_exception(self) -> int:
        """IPSR: the exception whose handler runs, 0 in thread mode."""
        return self._status.read()[0] & XPSR_IPSR

    def _check(self, exc_return: int, exception: int) -> bool:
        if not self._nvic.active >> exception & 1:
            raise ExceptionError(f"return from exception {exception}, which is not active")
        low = exc_return & 0xF
        if exc_return & 0xFFFF_FFE0 != 0xFFFF_FFE0 or low not in (0x1, 0x9, 0xD):
            raise ExceptionError(f"0x{exc_return:08x} is no EXC_RETURN value")
        nested = self._nvic.active & ~(1 << exception)
        to_thread = bool(low & EXC_RETURN_THREAD)
        if to_thread and nested:
            raise ExceptionError(f"EXC_RETURN 0x{exc_return:08x} leaves handlers that are still active")
        if not to_thread and not nested:
            raise ExceptionError(f"EXC_RETURN 0x{exc_return:08x} returns to a handler, and none is active")
        return to_thread

    def _push(self, registers: list[int], sp: int, control: int) -> int:
        """Stores the frame; returns where it begins."""
        fp = bool(control & CONTROL_FPCA)
        # The frame is aligned to eight bytes, as CCR.STKALIGN is fixed to 1 on the Cortex-M7.
        aligned = (sp - (EXTENDED_FRAME_BYTES if fp else BASIC_FRAME_BYTES)) & ~7
        *general, xpsr = registers
        stacked_xpsr = (xpsr & ~XPSR_ALIGN) | (XPSR_ALIGN if sp & 4 else 0) | XPSR_T
        frame = struct.pack("<8I", *general, stacked_xpsr)
        if fp:
            frame += struct.pack("<8QII", *self._fp.read(), 0)
        region = self._memory.region(aligned)
        if region is None or not region.writable or not self._memory.holds(aligned, len(frame)):
            raise ExceptionError(f"exception stacking writes to 0x{aligned:08x}: the stack overflowed")
        self._memory.write(aligned, frame)
        return aligned

    def _go(self, exception: int, exc_return: int, sp: int, control: int) -> None:
        entry = self.vector_table + 4 * exception
        if not self._memory.holds(entry, 4):
            raise ExceptionError(f"the vector table at 0x{self.vector_table:08x} is not in memory")
        handler = self._memory.word(entry)
        if not handler & 1 or not self._memory.holds(handler & ~1, 2):
            raise ExceptionError(f"the vector of exception {exception} holds 0x{handler:08x}")
        self._nvic.enter(exception)
        self._handler.write(sp, control & CONTROL_NPRIV, XPSR_T | exception, exc_return, handler & ~1)
        self._clock.spend(ENTRY_CYCLES)

    def _pop(self, exc_return: int, to_thread: bool, stacks: tuple[int, int], control: int) -> None:
        fp = not exc_return & EXC_RETURN_BASIC
        msp, psp = stacks
        on_psp = bool(exc_return & EXC_RETURN_PSP)
        sp = psp if on_psp else msp
        size = EXTENDED_FRAME_BYTES if fp else BASIC_FRAME_BYTES
        if not self._memory.holds(sp, size):
            raise ExceptionError(f"exception return reads from 0x{sp:08x}, which is no memory")
        frame = self._memory.read(sp, size)
        *general, pc, xpsr = struct.unpack_from("<8I", frame)
        if bool(xpsr & XPSR_IPSR) == to_thread:
            raise ExceptionError(f"the stacked XPSR 0x{xpsr:08x} does not fit EXC_RETURN 0x{exc_return:08x}")
        sp += size + (4 if xpsr & XPSR_ALIGN else 0)
        if fp:
            *fp_values, _ = struct.unpack_from("<8QII", frame, BASIC_FRAME_BYTES)
            self._fp.write(*fp_values)
        status = (xpsr & (XPSR_KEPT | XPSR_IPSR)) | XPSR_T
        control = (control & CONTROL_NPRIV) | (CONTROL_SPSEL if on_psp else 0) | (CONTROL_FPCA if fp else 0)
        banked = (msp, sp) if on_psp else (sp, psp)
        self._resumed.write(*banked, *general, pc & ~1, status, control)
        self.observer.resumed(sp)
