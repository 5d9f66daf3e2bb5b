"""The run loop: emulate to the next event, serve it, take exceptions, sleep, go on."""

from __future__ import annotations

from hil.twin import engine as eng
from hil.twin import fault_status as fs
from hil.twin.block_decode import decode_block
from hil.twin.bus import BusFaultError
from hil.twin.clock import Clock
from hil.twin.debugger import Debugger
from hil.twin.diagnosis import Diagnosis
from hil.twin.engine import BadAccess, Engine
from hil.twin.exceptions import ExceptionUnit
from hil.twin.fault_status import Fault, LockupError, usage_fault
from hil.twin.flash_wait import FlashWait
from hil.twin.low_power import LowPower, SleepDepth
from hil.twin.machine import Machine
from hil.twin.peripherals.scb import Scb
from hil.twin.state import NEVER, NOT_WATCHING, HookReason
from hil.twin.stop import StopReason

WFE = 0xBF20
YIELD = 0xBF10
HOOKS_BEFORE_STEP = 4
RETURN_TRAP = 0x1FFF_FFF0
"""A called function returns here: a hole in the map, so that the fetch comes back to the host."""


class Core:
    """Executes firmware in virtual time."""

    def __init__(
        self,
        machine: Machine,
        engine: Engine,
        exceptions: ExceptionUnit,
        scb: Scb,
        low_power: LowPower,
        diagnosis: Diagnosis,
    ) -> None:
        self._machine = machine
        self._state = machine.state
        self._clock: Clock = machine.clock
        self._engine = engine
        self._exceptions = exceptions
        self._scb = scb
        self._low_power = low_power
        self._flash = FlashWait(machine, engine)
        self._diagnosis = diagnosis
        # XPSR and CONTROL first: they choose the stack that SP speaks of.
        status = ("XPSR", "CONTROL", "PRIMASK", "BASEPRI", "FAULTMASK")
        self._boot = engine.registers(*status, "MSP", "PSP", "SP", "LR", "PC")
        # As a handler the core may write CONTROL, whatever it was before.
        self._privilege = engine.registers("XPSR", "CONTROL")
        self.sleeping = False
        self.waiting_for_event = False
        self.locked_up = False
        """A fault could not be taken: nothing executes until a reset."""
        self.debugger: Debugger | None = None
        exceptions.on_entry = lambda: machine.scheduler.run_due(machine.clock.now_fs)
        machine.scheduler.on_earlier = self._on_earlier

    def reset(self, stack: int, entry: int) -> None:
        """The core is in thread mode at `entry`, awake, privileged, with nothing masked."""
        self._privilege.write(1 << 24 | fs.HARD_FAULT, 0)
        self._boot.write(1 << 24, 0, 0, 0, 0, stack, 0, stack, 0xFFFF_FFFF, entry & ~1)
        self._state.event = self._state.attention = self._state.control_written = 0
        self._machine.chores.clear()
        self._exceptions.restart()
        self._diagnosis.follow_traps()
        self.sleeping = self.waiting_for_event = self.locked_up = False
        self._low_power.reset()
        self._exceptions.observer.restarted()

    def run(self, until_fs: int, instruction_limit: int = NEVER) -> StopReason:
        """Runs until the elapsed time `until_fs`, or until something the host must see.

        Raises TwinFault.
        """
        machine, state = self._machine, self._state
        machine.until_fs = until_fs
        state.instruction_limit = instruction_limit
        while True:
            machine.scheduler.run_due(self._clock.now_fs)
            if machine.reset_request is not None:
                return StopReason.RESET
            if self.debugger is not None and self.debugger.halted:
                return StopReason.HALTED
            if machine.stop_request:
                machine.stop_request = False
                return StopReason.TRANSMITTED
            if self._clock.elapsed_fs >= until_fs:
                return StopReason.TIME
            if state.instructions >= instruction_limit:
                return StopReason.BUDGET
            if self.locked_up:
                self._sleep()
                continue
            try:
                if self._go_on():
                    return StopReason.RETURNED
            except LockupError:
                self.locked_up = True
                return StopReason.LOCKUP

    def _go_on(self) -> bool:
        """Takes an exception, or sleeps, or executes; True when a called function returned."""
        try:
            self._do_chores()
            if self._low_power.depth is not SleepDepth.STANDBY:
                self._take_exception()
            if self.sleeping:
                self._sleep()
                return False
            if self._flash.holds_fetch():
                self._flash.wait()
                return False
            return self._execute()
        except Fault as fault:
            self._take_fault(fault)
            return False

    def _do_chores(self) -> None:
        """What firmware's writes asked for and could not be done in the middle of a block."""
        state, chores = self._state, self._machine.chores
        if state.control_written:
            state.control_written = 0
            self._exceptions.follow_control()
        while chores:
            chores.pop(0)()

    def _take_fault(self, fault: Fault) -> None:
        """Enters the handler of a fault, and of the faults that this makes. Raises LockupError."""
        self.sleeping = self.waiting_for_event = False
        following: Fault | None = fault
        while following is not None:
            fault, following = following, None
            number = self._exceptions.faults.resolve(fault, self._exceptions.execution_priority())
            try:
                self._exceptions.enter(number, fault.pc, fault.thumb)
            except Fault as another:
                following = another
        self._state.event = 1
        if self.debugger is not None:
            self.debugger.faulted(number)

    def step(self) -> None:
        """One instruction, or the entry of an exception that is ready; ends sleep.

        An IT instruction goes with the block that it makes conditional. Raises LockupError.
        """
        machine = self._machine
        machine.until_fs = NEVER
        machine.scheduler.run_due(self._clock.now_fs)
        while self._flash.holds_fetch():
            self._flash.wait()
            machine.scheduler.run_due(self._clock.now_fs)
        active = machine.nvic.active
        try:
            self._do_chores()
            self._take_exception()
            if machine.nvic.active == active and machine.reset_request is None:
                self._step_one()
            self._do_chores()
        except Fault as fault:
            self._take_fault(fault)
        self.sleeping = self.waiting_for_event = False

    def _step_one(self) -> None:
        """Executes one instruction, after what the hook of its block asks for first."""
        state = self._state
        instructions, ticks = state.instructions, state.ticks
        for _ in range(HOOKS_BEFORE_STEP):
            state.instruction_limit = instructions + 1
            self._execute(1)
            if state.reason in (HookReason.NONE, HookReason.TRAP):
                break
        self._count_one(instructions, ticks)

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
            self._wake()
            state.event = 1
            self._exceptions.enter(first)
            if self.debugger is not None:
                self.debugger.faulted(first)
        elif priority < nvic.active_priority():
            state.watched_priority = max(priority, 0)
            # WFE only wakes to an event: SEVONPEND makes one of what is pending.
            waits = self.sleeping and not self.waiting_for_event
            if waits and priority < self._exceptions.execution_priority(ignore_primask=True):
                self._wake()

    def _wake(self) -> None:
        self.sleeping = self.waiting_for_event = False
        self._low_power.leave()

    def _sleep(self) -> None:
        """Virtual time jumps to what happens next."""
        if self.waiting_for_event and self._state.event:
            self._state.event = 0
            self._wake()
            return
        self._low_power.enter()
        if self._low_power.stopped:
            always_fs, until_fs = self._machine.scheduler.next_always_fs(), self._machine.until_fs
            self._clock.stop_until(until_fs if always_fs is None else min(always_fs, until_fs))
        else:
            self._clock.sleep_until(self._machine.next_stop_fs())
            self._exceptions.observer.slept(self._clock.slept_ticks)

    def _on_earlier(self, at_fs: int) -> None:
        """An event was entered that comes before all others: the hook must stop for it."""
        at_fs = min(at_fs, self._machine.until_fs - self._clock.stopped_fs)
        self._state.deadline = min(self._clock.ticks_at(at_fs), self._state.deadline)

    def _execute(self, count: int = 0) -> bool:
        """Runs until the next stop, or `count` instructions; True when a called function returned."""
        state = self._state
        self._machine.next_deadline()
        state.reason = HookReason.NONE
        try:
            status = self._engine.run(count)
        except BusFaultError as error:
            self._diagnosis.failed_access(BadAccess(error.kind, error.address, error.size))
            return False
        if self.debugger is not None and self.debugger.interrupted():
            return False
        match state.reason:
            case HookReason.NO_FPU:
                self._diagnosis.fpu()
            case HookReason.PLACES:
                self._diagnosis.hook_places()
            case HookReason.TRAP:
                self._diagnosis.trap()
            case HookReason.NONE:
                return self._after(status)
        return False

    def _after(self, status: int) -> bool:
        """What a stop of Unicorn's own means; True when a called function returned."""
        access = self._engine.bad_access
        if self._engine.interrupt is not None:
            self._on_interrupt(self._engine.interrupt)
        elif status == 0:
            self.sleeping = True
        elif access is not None:
            if access.kind == "fetch" and access.address == RETURN_TRAP:
                return True
            if self._flash.holds_back(access):
                return False
            self._diagnosis.failed_access(access)
        elif not self._hint_instruction():
            raise self._diagnosis.undefined()
        return False

    def _on_interrupt(self, number: int) -> None:
        match number:
            case eng.INTERRUPT_EXCEPTION_EXIT:
                self._state.event = 1
                to_thread = self._exceptions.leave(self._engine.pc | 1)
                self.sleeping = to_thread and self._scb.sleep_on_exit
            case eng.INTERRUPT_SVC:
                self._diagnosis.supervisor_call()
            case eng.INTERRUPT_BKPT:
                self._on_breakpoint()
            case eng.INTERRUPT_DATA_ABORT:
                raise usage_fault(fs.CFSR_UNALIGNED, "exclusive access to an unaligned address")
            case eng.INTERRUPT_PREFETCH_ABORT:
                raise self._diagnosis.forbidden_fetch()
            case _:
                raise Fault(f"the core stopped with exception {number}")

    def _on_breakpoint(self) -> None:
        """BKPT, PC on it: a debugger halts the core, without one it is a HardFault."""
        if self.debugger is not None and self.debugger.breakpoint_instruction():
            return
        raise Fault("HardFault: BKPT without a debugger", hfsr=fs.HFSR_DEBUGEVT, dfsr=fs.DFSR_BKPT)

    def _hint_instruction(self) -> bool:
        """Whether Unicorn stopped behind WFE or YIELD, which end a block, and what follows from it."""
        state, pc = self._state, self._engine.pc
        if pc != state.block_address + state.block_size or not self._machine.memory.holds(pc - 2, 2):
            return False
        instruction = int.from_bytes(self._machine.memory.read(pc - 2, 2), "little")
        if instruction == WFE:
            self.sleeping = self.waiting_for_event = True
        return instruction in (WFE, YIELD)
