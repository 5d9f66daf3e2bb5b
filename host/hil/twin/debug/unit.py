"""The debug logic of one twin, and how the twin runs while a debugger may have halted it."""

from __future__ import annotations

from collections.abc import Callable

from hil.errors import TwinFault
from hil.twin.bus import Bus
from hil.twin.clock import to_fs, to_s
from hil.twin.core import Core
from hil.twin.debug.access import DebugAccess
from hil.twin.debug.ahb_ap import AhbAp
from hil.twin.debug.control import DFSR_BKPT, DFSR_DWTTRAP, DFSR_HALTED, DFSR_VCATCH, CoreControl
from hil.twin.debug.fpb import Fpb
from hil.twin.debug.sw_dp import SwDp
from hil.twin.debug.traps import DUAL_ISSUE_TICKS, Traps
from hil.twin.debug.watchpoints import note_match, watchpoints
from hil.twin.engine import Engine
from hil.twin.machine import Machine, ResetCause
from hil.twin.peripherals.layout import Peripherals
from hil.twin.stop import Stop, StopReason


class DebugUnit:
    """What a probe is wired to: the debug port and nRESET.

    `run_twin` and `reset_twin` are the twin's own `run` and `reset`; `timed` when it has a cycle
    model. Run the twin through `run` here: it knows when the core is halted, and turns a crash
    into what a debugger sees of one.
    """

    def __init__(
        self,
        machine: Machine,
        engine: Engine,
        core: Core,
        bus: Bus,
        peripherals: Peripherals,
        run_twin: Callable[[float], Stop],
        reset_twin: Callable[[ResetCause], None],
        *,
        timed: bool,
    ) -> None:
        self._machine = machine
        self._engine = engine
        self._core = core
        self._peripherals = peripherals
        self._run_twin = run_twin
        self._reset_twin = reset_twin
        self.crash: TwinFault | None = None
        """Why the core locked up or was caught; None while it is well."""
        self.control = CoreControl(machine, engine, core, peripherals.scb, peripherals.core_debug)
        self.control.step = self._step
        ticks = DUAL_ISSUE_TICKS if timed else machine.state.ticks_per_instruction
        self.traps = Traps(machine, engine, self.control, ticks)
        self.fpb = Fpb()
        access = DebugAccess(
            machine,
            bus,
            self.control,
            self.fpb,
            peripherals.dwt,
            on_code=self._on_code,
            reset_core=self._reset_core,
            service=self.service,
        )
        self.memory = access
        self.port = SwDp(AhbAp(access))
        core.debugger = self
        peripherals.core_debug.status = self.control.status

    @property
    def halted(self) -> bool:
        """The core is in debug state. Part of what the run loop asks."""
        return self.control.halted

    def interrupted(self) -> bool:
        """Whether a breakpoint or watchpoint ended the run of the engine."""
        if self.traps.interrupted():
            return True
        if self.traps.access is not None and not self.control.halted:
            self._end_of_access()  # to a peripheral: at the end of its block
            return True
        return False

    def breakpoint_instruction(self) -> bool:
        """The core met BKPT: true when a debugger takes it (ARMv7-M ARM C1.5.1)."""
        if not self.control.enabled:
            return False
        self.traps.give_back()
        self.control.halt(DFSR_BKPT)
        return True

    def after_reset(self, cause: ResetCause) -> None:
        """The chip was reset. When the supply came, the debug logic forgot everything too."""
        self.crash = None
        if cause is ResetCause.POWER_ON:
            self.control.power_on()
            self.fpb.reset()
            self.port.reset()
        self.control.after_reset()

    def hold_reset(self, asserted: bool) -> None:
        """The nRESET line: low holds the chip, its release boots it."""
        if asserted and not self.control.in_reset:
            self.control.in_reset = True
            self._reset_twin(ResetCause.PIN)
            self.control.halted = False
        elif not asserted and self.control.in_reset:
            self.control.in_reset = False
            self._reset_twin(ResetCause.PIN)

    def service(self) -> None:
        """Carries out a reset that the debugger asked for through AIRCR."""
        if self._machine.reset_request is not None:
            self._reset_twin(self._machine.reset_request)

    def run(self, until_s: float) -> Stop:
        """Runs until virtual time `until_s`, unless the core stands still.

        A halted core stops the chip's time, so that debugging does not depend on the host's pace,
        unless a watchdog runs that DBGMCU does not freeze: it goes on, and bites.
        """
        self.service()
        if self.control.stands_still:
            return self._stand_still(until_s)
        self._prepare()
        try:
            stop = self._run_twin(until_s)
        except TwinFault as fault:
            self._on_crash(fault)
            return Stop(StopReason.HALTED, self._now_s, str(fault))
        if self.traps.access is not None:
            self._finish_access()
        return stop

    @property
    def _now_s(self) -> float:
        return to_s(self._machine.clock.now_fs)

    def _stand_still(self, until_s: float) -> Stop:
        if self.control.halted and self._peripherals.watchdog_bites:
            machine, until_fs = self._machine, to_fs(until_s)
            while machine.clock.now_fs < until_fs and machine.reset_request is None:
                next_fs = machine.scheduler.next_fs()
                machine.clock.sleep_until(until_fs if next_fs is None else min(next_fs, until_fs))
                machine.scheduler.run_due(machine.clock.now_fs)
            self.service()
        return Stop(StopReason.HALTED, self._now_s)

    def _prepare(self) -> None:
        """Hooks what the comparators ask for."""
        self.traps.arrange(self.fpb.addresses, watchpoints(self._peripherals.dwt))

    def _step(self) -> None:
        """One instruction for DHCSR.C_STEP; the core is halted again afterwards."""
        if self.control.in_reset:
            return
        self._prepare()
        try:
            self._core.step()
        except TwinFault as fault:
            self._on_crash(fault)
        self.service()
        if self.traps.access is not None:
            self._finish_access()
        if not self.control.halted and not self.control.locked_up:
            self.control.halt(DFSR_HALTED)

    def _finish_access(self) -> None:
        """The instruction that hit a watchpoint runs to its end, with interrupts held back."""
        self.traps.clear()
        held, self._machine.nvic.held_back = self._machine.nvic.held_back, -1
        try:
            self._core.step()
        except TwinFault as fault:
            self._on_crash(fault)
        finally:
            self._machine.nvic.held_back = held
        self._end_of_access()

    def _end_of_access(self) -> None:
        comparator, self.traps.access = self.traps.access, None
        if comparator is not None:
            note_match(self._peripherals.dwt, comparator)
            self.control.halt(DFSR_DWTTRAP)

    def _on_crash(self, fault: TwinFault) -> None:
        self.crash = fault
        if self.control.catches_faults:
            self.control.halt(DFSR_VCATCH)
        else:
            self.control.lock_up()

    def _on_code(self, address: int, size: int) -> None:
        """The debugger wrote to RAM: translations of it are void. Flash sees to itself."""
        self._engine.uc.ctl_remove_cache(address, address + size)

    def _reset_core(self) -> None:
        """AIRCR.VECTRESET: the core without the chip (ARMv7-M ARM B1.5.16)."""
        memory = self._machine.memory
        self._machine.nvic.reset()
        self._peripherals.scb.reset()
        table = self._peripherals.scb.read(0x08)
        self._core.reset(memory.word(table), memory.word(table + 4))
        self.crash = None
        self.control.after_reset()
