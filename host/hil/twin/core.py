"""The run loop: emulate to the next event, serve it, take exceptions, sleep, go on."""

from __future__ import annotations

from typing import Protocol

from hil.errors import TwinFault
from hil.twin import engine as eng
from hil.twin.bus import BusFaultError
from hil.twin.clock import Clock
from hil.twin.counter import decode_block
from hil.twin.engine import Engine
from hil.twin.exceptions import ExceptionError, ExceptionUnit
from hil.twin.faults import FaultReporter
from hil.twin.machine import Machine
from hil.twin.memory import in_flash
from hil.twin.nvic import SVCALL
from hil.twin.peripherals.scb import Scb
from hil.twin.state import NEVER, NOT_WATCHING, HookReason
from hil.twin.stop import StopReason

WFE = 0xBF20
YIELD = 0xBF10
RETURN_TRAP = 0x1FFF_FFF0
"""A called function returns here: a hole in the map, so that the fetch comes back to the host."""


class Debugger(Protocol):
    """What the run loop asks of the debug logic, when there is one."""

    @property
    def halted(self) -> bool:
        """The core is in debug state."""
        ...

    def interrupted(self) -> bool:
        """Whether it ended the run of the engine."""
        ...

    def breakpoint_instruction(self) -> bool:
        """The core met BKPT: true when the debugger takes it."""
        ...


class Core:
    """Executes firmware in virtual time."""

    def __init__(
        self,
        machine: Machine,
        engine: Engine,
        exceptions: ExceptionUnit,
        scb: Scb,
        reporter: FaultReporter,
    ) -> None:
        self._machine = machine
        self._state = machine.state
        self._clock: Clock = machine.clock
        self._engine = engine
        self._exceptions = exceptions
        self._scb = scb
        self._reporter = reporter
        self._until_fs = 0
        # XPSR and CONTROL first: they choose the stack that SP speaks of.
        status = ("XPSR", "CONTROL", "PRIMASK", "BASEPRI", "FAULTMASK")
        self._boot = engine.registers(*status, "MSP", "PSP", "SP", "LR", "PC")
        self.sleeping = False
        self.waiting_for_event = False
        self.debugger: Debugger | None = None
        machine.scheduler.on_earlier = self._on_earlier

    def reset(self, stack: int, entry: int) -> None:
        """The core is in thread mode at `entry`, awake, with nothing masked."""
        self._boot.write(1 << 24, 0, 0, 0, 0, stack, 0, stack, 0xFFFF_FFFF, entry & ~1)
        self._state.event = self._state.attention = 0
        self.sleeping = self.waiting_for_event = False

    def run(self, until_fs: int, instruction_limit: int = NEVER) -> StopReason:
        """Runs until `until_fs`, or until something the host must see. Raises TwinFault."""
        machine, state = self._machine, self._state
        self._until_fs = machine.until_fs = until_fs
        state.instruction_limit = instruction_limit
        while True:
            now_fs = self._clock.now_fs
            machine.scheduler.run_due(now_fs)
            if machine.reset_request is not None:
                return StopReason.RESET
            if self.debugger is not None and self.debugger.halted:
                return StopReason.HALTED
            if machine.stop_request:
                machine.stop_request = False
                return StopReason.TRANSMITTED
            if now_fs >= until_fs:
                return StopReason.TIME
            if state.instructions >= instruction_limit:
                return StopReason.BUDGET
            self._take_exception()
            if self.sleeping:
                self._sleep()
            elif self._fetch_waits():
                self._wait()
            elif self._execute():
                return StopReason.RETURNED

    def step(self) -> None:
        """One instruction, or the entry of an exception that is ready; ends sleep. Raises TwinFault.

        An IT instruction goes with the block that it makes conditional.
        """
        machine, state = self._machine, self._state
        self._until_fs = machine.until_fs = NEVER
        machine.scheduler.run_due(self._clock.now_fs)
        while self._fetch_waits():
            self._wait()
            machine.scheduler.run_due(self._clock.now_fs)
        active = machine.nvic.active
        self._take_exception()
        if machine.nvic.active == active and machine.reset_request is None:
            instructions, ticks = state.instructions, state.ticks
            state.instruction_limit = instructions + 1
            self._execute(1)
            self._count_one(instructions, ticks)
        self.sleeping = self.waiting_for_event = False

    def _count_one(self, instructions: int, ticks: int) -> None:
        """The hook counted a whole block, of which one instruction or one IT block ran."""
        state, memory, pc = self._state, self._machine.memory, self._engine.pc
        counted = state.instructions - instructions
        rest = state.block_address + state.block_size - pc
        if counted > 1 and 0 < rest < state.block_size and memory.holds(pc, rest):
            done = max(1, counted - decode_block(memory.read(pc, rest))[0])
            state.ticks = ticks + (state.ticks - ticks) * done // counted
            state.instructions = instructions + done

    def _take_exception(self) -> None:
        """Enters the first exception that is ready, or watches the masks that hold it back."""
        nvic, state = self._machine.nvic, self._state
        state.watched_priority = NOT_WATCHING
        state.attention = 0
        first = nvic.first_ready()
        if first is None:
            return
        priority = nvic.group_priority(first)
        if priority < self._exceptions.execution_priority():
            self.sleeping = self.waiting_for_event = False
            try:
                self._exceptions.enter(first)
            except ExceptionError as error:
                raise self._reporter.fault(f"HardFault: {error}") from None
            state.event = 1
        elif priority < nvic.active_priority():
            state.watched_priority = max(priority, 0)
            if self.sleeping and priority < self._exceptions.execution_priority(ignore_primask=True):
                self.sleeping = self.waiting_for_event = False

    def _sleep(self) -> None:
        """Virtual time jumps to what happens next."""
        if self.waiting_for_event and self._state.event:
            self._state.event = 0
            self.sleeping = self.waiting_for_event = False
            return
        next_fs = self._machine.scheduler.next_fs()
        self._clock.sleep_until(self._until_fs if next_fs is None else min(next_fs, self._until_fs))

    def _fetch_waits(self) -> bool:
        """Whether the next instruction lies in flash that is busy; rewritten code is translated anew."""
        if not self._state.flash_watch:
            return False
        flash = self._machine.flash
        if flash.busy:
            self._guard(True)
        if not in_flash(self._engine.pc):
            return False
        if not flash.busy:
            self._engine.forget(flash.array.rewritten)
            self._state.flash_watch = 0
        return flash.busy

    def _guard(self, guard: bool) -> None:
        """Loads from flash come to the host, or pass. Guarded it stays until the first load after it."""
        self._engine.guard_flash(guard)
        self._machine.flash.guarded = guard

    def _wait(self) -> None:
        """The core waits for busy flash: time goes on to what happens next, the flash's end at the latest."""
        next_fs = self._machine.scheduler.next_fs()
        self._clock.wait_until(self._until_fs if next_fs is None else min(next_fs, self._until_fs))

    def _on_earlier(self, at_fs: int) -> None:
        """An event was entered that comes before all others: the hook must stop for it."""
        self._state.deadline = min(self._clock.ticks_at(min(at_fs, self._until_fs)), self._state.deadline)

    def _execute(self, count: int = 0) -> bool:
        """Runs until the next stop, or `count` instructions; True when a called function returned."""
        state = self._state
        self._machine.next_deadline()
        state.reason = HookReason.NONE
        try:
            status = self._engine.run(count)
        except BusFaultError as error:
            raise self._bad_access(error.kind, error.address, error.size) from None
        if self.debugger is not None and self.debugger.interrupted():
            return False
        if state.reason == HookReason.NO_FPU:
            raise self._reporter.fault("UsageFault (NOCP): FPU instruction before CPACR enables the FPU")
        if state.reason:
            return False
        if self._engine.interrupt is not None:
            self._on_interrupt(self._engine.interrupt)
        elif status == 0:
            self.sleeping = True
        elif self._engine.bad_access is not None:
            access = self._engine.bad_access
            if access.kind == "fetch" and access.address == RETURN_TRAP:
                return True
            if self._engine.flash_guarded and access.kind != "write" and in_flash(access.address):
                if self._machine.flash.busy:
                    self._wait()
                else:
                    self._guard(False)
                return False
            raise self._bad_access(access.kind, access.address, access.size)
        elif not self._hint_instruction():
            raise self._undefined()
        return False

    def _on_interrupt(self, number: int) -> None:
        pc = self._engine.pc
        try:
            if number == eng.INTERRUPT_EXCEPTION_EXIT:
                self.sleeping = self._exceptions.leave(pc | 1) and self._scb.sleep_on_exit
                self._state.event = 1
                return
            if number == eng.INTERRUPT_SVC:
                self._supervisor_call(pc)
                return
        except ExceptionError as error:
            raise self._reporter.fault(f"HardFault: {error}") from None
        if number == eng.INTERRUPT_BKPT:
            if self.debugger is not None and self.debugger.breakpoint_instruction():
                return
            raise self._reporter.fault("HardFault: BKPT without a debugger")
        if number == eng.INTERRUPT_DATA_ABORT:
            raise self._reporter.fault("UsageFault (UNALIGNED): exclusive access to an unaligned address")
        if number == eng.INTERRUPT_PREFETCH_ABORT:
            raise self._reporter.fault("BusFault (IBUSERR): instruction fetch", "fetch")
        raise self._reporter.fault(f"the core stopped with exception {number}")

    def _supervisor_call(self, pc: int) -> None:
        if self._machine.nvic.group_priority(SVCALL) >= self._exceptions.execution_priority():
            raise self._reporter.fault("HardFault: SVC where its priority is masked", pc=pc - 2)
        self._exceptions.enter(SVCALL)

    def _hint_instruction(self) -> bool:
        """Whether Unicorn stopped behind WFE or YIELD, which end a block, and what follows from it."""
        state, pc = self._state, self._engine.pc
        if pc != state.block_address + state.block_size or not self._machine.memory.holds(pc - 2, 2):
            return False
        instruction = int.from_bytes(self._machine.memory.read(pc - 2, 2), "little")
        if instruction == WFE:
            self.sleeping = self.waiting_for_event = True
        return instruction in (WFE, YIELD)

    def _undefined(self) -> TwinFault:
        pc = self._engine.pc
        xpsr = self._engine.registers("XPSR").read()[0]
        if not xpsr >> 24 & 1:
            return self._reporter.fault("UsageFault (INVSTATE): branch to an address without the Thumb bit")
        code = self._machine.memory.read(pc, 4) if self._machine.memory.holds(pc, 4) else b""
        shown = " ".join(f"{int.from_bytes(code[i : i + 2], 'little'):04x}" for i in range(0, len(code), 2))
        return self._reporter.fault(f"UsageFault (UNDEFINSTR): undefined instruction {shown}")

    def _bad_access(self, kind: str, address: int, size: int) -> TwinFault:
        region = self._machine.memory.region(address)
        where = f" in {region.name}" if region is not None else ""
        name = "BusFault" if region is None else "BusFault (read-only memory)"
        return self._reporter.fault(f"{name}: {kind} of {size} bytes at 0x{address:08x}{where}", kind)
