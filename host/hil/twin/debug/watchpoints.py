"""Data watchpoints of the DWT (ARMv7-M ARM C1.8): what its comparators ask for."""

from __future__ import annotations

from dataclasses import dataclass

from hil.twin.peripherals.peripheral import Peripheral

DWT_BASE = 0xE000_1000
DWT_COMP0 = 0x020
DWT_MASK0 = 0x024
DWT_FUNCTION0 = 0x028
DWT_FUNCTION = 0xF
DWT_FUNCTION_MATCHED = 1 << 24
DWT_COMPARATOR_STRIDE = 0x10
COMPARATORS = 4
DWT_MASK_MAX = 31

FUNCTION_PC = 4
FUNCTION_READ = 5
FUNCTION_WRITE = 6
FUNCTION_ACCESS = 7


@dataclass(frozen=True)
class Watchpoint:
    """A range of addresses, and which accesses to it halt the core."""

    comparator: int
    begin: int
    end: int
    """The last byte."""
    function: int


def watchpoints(dwt: Peripheral) -> tuple[Watchpoint, ...]:
    """The comparators that halt the core; those for tracing and profiling are left out."""
    found = []
    for index in range(COMPARATORS):
        at = DWT_COMPARATOR_STRIDE * index
        function = dwt.registers.get(DWT_FUNCTION0 + at, 0) & DWT_FUNCTION
        if FUNCTION_PC <= function <= FUNCTION_ACCESS:
            size = 1 << min(dwt.registers.get(DWT_MASK0 + at, 0), DWT_MASK_MAX)
            begin = dwt.registers.get(DWT_COMP0 + at, 0) & ~(size - 1)
            found.append(Watchpoint(index, begin, begin + size - 1, function))
    return tuple(found)


def note_match(dwt: Peripheral, comparator: int) -> None:
    """FUNCTIONn.MATCHED, until it is read."""
    offset = DWT_FUNCTION0 + DWT_COMPARATOR_STRIDE * comparator
    dwt.registers[offset] = dwt.registers.get(offset, 0) | DWT_FUNCTION_MATCHED
