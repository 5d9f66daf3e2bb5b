"""The FPU's context over exceptions (ARMv7-M ARM B1.5.7, B3.2.21): when it is saved, and by whom.

Entry from code with FP context reserves the frame's space and leaves S0 to S15 and FPSCR in the
registers (LSPACT). The block hook stops before the next block with an FP instruction, whoever runs it,
and the registers go to FPCAR then. The stop is as fine as a block, not an instruction.
"""

from __future__ import annotations

import struct

from hil.twin import fault_status as fs
from hil.twin.clock import Clock
from hil.twin.engine import Engine
from hil.twin.fault_status import Fault
from hil.twin.memory import Memory
from hil.twin.protection import Protection
from hil.twin.state import CoreState

FPCCR_ASPEN = 1 << 31
FPCCR_LSPEN = 1 << 30
FPCCR_THREAD = 1 << 3
FPCCR_USER = 1 << 1
FPCCR_LSPACT = 1 << 0
FPCCR_WRITABLE = 0xC000_017B
FPDSCR_MASK = 0x07C0_0000

CONTROL_FPCA = 1 << 2
CONTROL_CONTEXT = CONTROL_FPCA | 1 << 3
"""QEMU begins a new FP context unless its SFPA bit is set as well."""

FP_FRAME_BYTES = 18 * 4
PRESERVE_CYCLES = 9
"""17 words over the 64-bit bus."""


class FpContext:
    """FPCCR, FPCAR, FPDSCR, and the moves of S0 to S15."""

    def __init__(
        self, engine: Engine, state: CoreState, memory: Memory, clock: Clock, protection: Protection
    ) -> None:
        self._state = state
        self._memory = memory
        self._clock = clock
        self._protection = protection
        self._registers = engine.registers(*(f"D{i}" for i in range(8)), "FPSCR")
        self._fpscr = engine.registers("FPSCR")
        self._control = engine.registers("CONTROL")
        self.reset()

    def reset(self) -> None:
        """Automatic, lazy stacking is on; the FPU is off."""
        self.fpccr = FPCCR_ASPEN | FPCCR_LSPEN
        self.fpcar = self.fpdscr = 0
        self._access = 0
        self._privileged = True
        self._fresh = False
        self._arm()

    @property
    def automatic(self) -> bool:
        """Whether exceptions stack FP context at all."""
        return bool(self.fpccr & FPCCR_ASPEN)

    @property
    def usable(self) -> bool:
        """Whether CPACR lets the code that runs use the FPU."""
        return self._access == 3 or (self._access == 1 and self._privileged)

    def set_access(self, cpacr: int) -> None:
        """CPACR.CP10: 0 nobody, 1 privileged code, 3 everybody."""
        self._access = cpacr >> 20 & 3
        self._arm()

    def set_default_status(self, fpdscr: int) -> None:
        """FPDSCR: what FPSCR begins a context with."""
        self.fpdscr = fpdscr & FPDSCR_MASK
        self._fresh = not self._control.read()[0] & CONTROL_FPCA
        self._arm()

    def set_control(self, fpccr: int) -> None:
        """FPCCR; clearing LSPACT gives up what was not saved."""
        self.fpccr = fpccr & FPCCR_WRITABLE
        self._arm()

    def follow(self, privileged: bool, fresh: bool) -> None:
        """Other code runs now; `fresh` without FP context of its own yet."""
        self._privileged, self._fresh = privileged, fresh
        self._arm()

    def reserve(self, address: int, privileged: bool, thread: bool) -> None:
        """Exception entry left room for the context at `address`, nothing in it yet."""
        self.fpcar = address & ~7
        self.fpccr |= FPCCR_LSPACT
        self.fpccr &= ~(FPCCR_USER | FPCCR_THREAD)
        self.fpccr |= (0 if privileged else FPCCR_USER) | (FPCCR_THREAD if thread else 0)

    def frame(self) -> bytes:
        """S0 to S15, FPSCR and a reserved word, for an entry that is not lazy."""
        return struct.pack("<8QII", *self._registers.read(), 0)

    def restore(self, frame: bytes) -> None:
        """Return to code with FP context: from `frame`, unless the registers still hold it."""
        if self.fpccr & FPCCR_LSPACT:
            self.fpccr &= ~FPCCR_LSPACT
        else:
            self._registers.write(*struct.unpack("<8QII", frame)[:-1])

    def use(self) -> None:
        """An FP instruction is next. Raises Fault where the reserved space cannot be written."""
        if self.fpccr & FPCCR_LSPACT:
            self.fpccr &= ~FPCCR_LSPACT
            self._preserve()
        if self._fresh:
            if self.automatic:
                control = self._control.read()[0]
                fpscr = self._fpscr.read()[0]
                self._fpscr.write(fpscr & ~FPDSCR_MASK | self.fpdscr)
                self._control.write(control | CONTROL_CONTEXT)
            self._fresh = False
        self._arm()

    def _preserve(self) -> None:
        self._clock.spend(PRESERVE_CYCLES)
        privileged = not self.fpccr & FPCCR_USER
        fault = self._protection.stack_fault(
            self.fpcar, FP_FRAME_BYTES, privileged, fs.CFSR_MLSPERR, fs.CFSR_LSPERR
        )
        if fault is not None:
            self._arm()
            raise Fault(f"lazy FP stacking: {fault.cause}", fault.exception, fault.cfsr)
        self._memory.write(self.fpcar, self.frame()[:-4])

    def _arm(self) -> None:
        waits = self.fpccr & FPCCR_LSPACT or (self._fresh and self.fpdscr)
        self._state.fpu_off = int(not self.usable or bool(waits))
