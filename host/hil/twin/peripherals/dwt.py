"""Data watchpoint and trace (ARMv7-M ARM C1.8): the cycle counter, profiling counters, comparators."""

from __future__ import annotations

from hil.twin.exceptions import ENTRY_CYCLES, ExceptionUnit
from hil.twin.machine import Machine
from hil.twin.peripherals.coresight import CLASS_GENERIC, Component, identification
from hil.twin.peripherals.debug import CoreDebug, Dbgmcu

DWT_CTRL = 0x000
DWT_CTRL_CYCCNTENA = 1 << 0
DWT_CTRL_EXCEVTENA = 1 << 18
DWT_CTRL_SLEEPEVTENA = 1 << 19
DWT_CTRL_RESET = 0x4000_0000
"""Four comparators."""
DWT_CYCCNT = 0x004
DWT_CPICNT = 0x008
DWT_EXCCNT = 0x00C
DWT_SLEEPCNT = 0x010
DWT_FOLDCNT = 0x018
DWT_PCSR = 0x01C
DWT_FUNCTION0 = 0x028
DWT_FUNCTION_MATCHED = 1 << 24


class Dwt(Component):
    """CYCCNT, EXCCNT and SLEEPCNT count; the comparators are kept for the debug port.

    On this part it stays locked until LAR is written, and it stops while the core sleeps, unless
    DBGMCU_CR.DBG_SLEEP is set. A read sees the time at the end of its basic block. CPICNT, LSUCNT and
    FOLDCNT keep what was written: the cycle model does not count by instruction.
    """

    POWER_ON_ONLY = True

    def __init__(
        self, machine: Machine, core_debug: CoreDebug, dbgmcu: Dbgmcu, exceptions: ExceptionUnit
    ) -> None:
        self._core_debug = core_debug
        self._dbgmcu = dbgmcu
        self._exceptions = exceptions
        super().__init__(machine, "DWT", 0xE000_1000, identification(0x002, CLASS_GENERIC), lock=True)
        self.registers[DWT_CTRL] = DWT_CTRL_RESET
        self._start = 0
        self._held = 0
        self._profiled = {DWT_EXCCNT: 0, DWT_SLEEPCNT: 0}

    def reset(self) -> None:
        super().reset()
        self.registers[DWT_CTRL] = DWT_CTRL_RESET
        self._held = 0

    @property
    def _counting(self) -> bool:
        return bool(self.registers[DWT_CTRL] & DWT_CTRL_CYCCNTENA) and self._core_debug.tracing

    def read(self, offset: int) -> int:
        if offset == DWT_CYCCNT:
            return self._count() if self._counting else self._held
        if offset in self._profiled:
            return self._profile(offset) & 0xFF
        if offset == DWT_PCSR:
            return self.machine.state.block_address if self._core_debug.tracing else 0
        if self._is_function(offset):
            value = super().read(offset)
            self.registers[offset] = value & ~DWT_FUNCTION_MATCHED  # reading clears it
            return value
        return super().read(offset)

    def peek(self, offset: int) -> int:
        return self.registers.get(offset, 0)

    def store(self, offset: int, value: int) -> None:
        if offset == DWT_CYCCNT:
            self._set(value)
        elif offset == DWT_CTRL:
            before = self.read(DWT_CYCCNT)
            enabled = value & ~self.registers[DWT_CTRL]
            self.registers[DWT_CTRL] = DWT_CTRL_RESET | (value & 0x0FFF_FFFF)
            self._set(before)
            for counter, bit in ((DWT_EXCCNT, DWT_CTRL_EXCEVTENA), (DWT_SLEEPCNT, DWT_CTRL_SLEEPEVTENA)):
                if enabled & bit:  # enabling clears the counter
                    self._profiled[counter] = self._total(counter)
        elif offset in self._profiled:
            self._profiled[offset] = self._total(offset) - (value & 0xFF)
        elif DWT_CPICNT <= offset <= DWT_FOLDCNT:
            super().store(offset, value & 0xFF)
        elif offset != DWT_PCSR:
            super().store(offset, value)

    @staticmethod
    def _is_function(offset: int) -> bool:
        return 0 <= offset - DWT_FUNCTION0 <= 0x30 and not (offset - DWT_FUNCTION0) % 0x10

    def _profile(self, counter: int) -> int:
        bit = DWT_CTRL_EXCEVTENA if counter == DWT_EXCCNT else DWT_CTRL_SLEEPEVTENA
        on = self._core_debug.tracing and self.registers[DWT_CTRL] & bit
        return self._total(counter) - self._profiled[counter] if on else 0

    def _total(self, counter: int) -> int:
        """Cycles of exception entries, or asleep, since power-on."""
        if counter == DWT_EXCCNT:
            return self._exceptions.entries * ENTRY_CYCLES
        return self.machine.clock.cycles - self.machine.clock.awake_cycles

    def _cycles(self) -> int:
        clock = self.machine.clock
        return clock.cycles if self._dbgmcu.counts_in_sleep else clock.awake_cycles

    def _count(self) -> int:
        return (self._cycles() - self._start) & 0xFFFF_FFFF

    def _set(self, value: int) -> None:
        self._held = value
        self._start = self._cycles() - value
