"""Halting debug of the core: DHCSR, DCRSR, DCRDR, DEMCR and DFSR (ARMv7-M ARM C1.6)."""

from __future__ import annotations

from collections.abc import Callable

from hil.twin.core import Core
from hil.twin.debug.registers import CoreRegisters
from hil.twin.engine import Engine
from hil.twin.machine import Machine
from hil.twin.nvic import EXCEPTIONS, PENDSV
from hil.twin.peripherals.debug import COREDEBUG_DEMCR, CoreDebug
from hil.twin.peripherals.scb import SCB_DFSR, Scb

DHCSR_DBGKEY = 0xA05F
DHCSR_C_DEBUGEN = 1 << 0
DHCSR_C_HALT = 1 << 1
DHCSR_C_STEP = 1 << 2
DHCSR_C_MASKINTS = 1 << 3
DHCSR_S_REGRDY = 1 << 16
DHCSR_S_HALT = 1 << 17
DHCSR_S_SLEEP = 1 << 18
DHCSR_S_LOCKUP = 1 << 19
DHCSR_S_RETIRE_ST = 1 << 24
DHCSR_S_RESET_ST = 1 << 25

DCRSR_REGWNR = 1 << 16
DCRSR_REGSEL = 0x7F

DEMCR_VC_CORERESET = 1 << 0
DEMCR_VC_FAULTS = 0x7F << 4
"""VC_MMERR to VC_HARDERR."""

DFSR_HALTED = 1 << 0
DFSR_BKPT = 1 << 1
DFSR_DWTTRAP = 1 << 2
DFSR_VCATCH = 1 << 3
DFSR_EXTERNAL = 1 << 4

MASKED_BY_DEBUGGER = (1 << EXCEPTIONS) - (1 << PENDSV)
"""C_MASKINTS holds back PendSV, SysTick and all external interrupts (ARMv7-M ARM C1.6.2)."""


class CoreControl:
    """The core as the debugger drives it. `step` is what executes one instruction."""

    def __init__(self, machine: Machine, engine: Engine, core: Core, scb: Scb, core_debug: CoreDebug) -> None:
        self._machine = machine
        self._core = core
        self._scb = scb
        self._core_debug = core_debug
        self.registers = CoreRegisters(engine)
        self.step: Callable[[], None] = lambda: None
        self.power_on()

    def power_on(self) -> None:
        """No debugger has spoken yet."""
        self.enabled = False
        self.halted = False
        self.locked_up = False
        self.in_reset = False
        self._stepping = False
        self._was_reset = True
        self._retired = 0
        self._data = 0
        self._mask_interrupts(False)

    @property
    def stands_still(self) -> bool:
        """The core executes nothing: halted, locked up or held in reset."""
        return self.halted or self.locked_up or self.in_reset

    @property
    def catches_faults(self) -> bool:
        """Vector catch stops the core at a fault instead of letting it run into its handler."""
        return self.enabled and bool(self._demcr & DEMCR_VC_FAULTS)

    def halt(self, cause: int) -> None:
        """The core enters debug state; `cause` is a bit of DFSR."""
        self.halted = True
        self.locked_up = False
        self._core.sleeping = self._core.waiting_for_event = False
        self._scb.registers[SCB_DFSR] = self._scb.registers.get(SCB_DFSR, 0) | cause

    def lock_up(self) -> None:
        """The core cannot go on: a fault that nothing handles."""
        self.locked_up = True

    def after_reset(self) -> None:
        """A reset leaves the debug logic alone, and halts before the first instruction when asked to."""
        self._was_reset = True
        self.halted = self.locked_up = False
        self._mask_interrupts(False)
        if self.enabled and self._demcr & DEMCR_VC_CORERESET:
            self.halt(DFSR_VCATCH)

    def status(self) -> int:
        """DHCSR without the effects of reading it."""
        value = DHCSR_S_REGRDY
        value |= DHCSR_C_DEBUGEN if self.enabled else 0
        value |= DHCSR_C_HALT | DHCSR_S_HALT if self.halted else 0
        value |= DHCSR_C_STEP if self._stepping else 0
        value |= DHCSR_C_MASKINTS if self._machine.nvic.held_back else 0
        value |= DHCSR_S_SLEEP if self._core.sleeping else 0
        value |= DHCSR_S_LOCKUP if self.locked_up else 0
        value |= DHCSR_S_RETIRE_ST if self._machine.state.instructions != self._retired else 0
        return value | (DHCSR_S_RESET_ST if self._was_reset or self.in_reset else 0)

    def read(self, offset: int) -> int:
        """The register at `offset` from DHCSR; DHCSR forgets its sticky bits."""
        match offset:
            case 0x0:
                value = self.status()
                self._was_reset = False
                self._retired = self._machine.state.instructions
                return value
            case 0x8:
                return self._data
            case 0xC:
                return self._demcr
        return 0

    def write(self, offset: int, value: int) -> None:
        """Sets the register at `offset` from DHCSR."""
        match offset:
            case 0x0 if value >> 16 == DHCSR_DBGKEY:
                self._write_dhcsr(value)
            case 0x4:
                self._transfer(value)
            case 0x8:
                self._data = value
            case 0xC:
                self._core_debug.write(COREDEBUG_DEMCR, value)

    @property
    def _demcr(self) -> int:
        return self._core_debug.registers.get(COREDEBUG_DEMCR, 0)

    def _write_dhcsr(self, value: int) -> None:
        self.enabled = bool(value & DHCSR_C_DEBUGEN)
        self._stepping = self.enabled and bool(value & DHCSR_C_STEP)
        self._mask_interrupts(self.enabled and bool(value & DHCSR_C_MASKINTS))
        if not self.enabled:
            self.halted = False
        elif value & DHCSR_C_HALT:
            if not self.halted and not self.in_reset:
                self.halt(DFSR_HALTED)
        elif self.halted:
            self.halted = False
            if self._stepping:
                self.step()

    def _mask_interrupts(self, masked: bool) -> None:
        self._machine.nvic.held_back = MASKED_BY_DEBUGGER if masked else 0

    def _transfer(self, selector: int) -> None:
        """DCRSR: a core register to or from DCRDR; the registers of a running core cannot be had."""
        if not self.halted:
            return
        if selector & DCRSR_REGWNR:
            self.registers.write(selector & DCRSR_REGSEL, self._data)
        else:
            self._data = self.registers.read(selector & DCRSR_REGSEL)
