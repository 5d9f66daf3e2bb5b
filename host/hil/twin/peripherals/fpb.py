"""Flash patch and breakpoint unit (ARMv7-M ARM C1.11): registers for the debug port."""

from __future__ import annotations

from hil.twin.machine import Machine
from hil.twin.peripherals.coresight import CLASS_GENERIC, Component, identification

FP_CTRL = 0x000
FP_CTRL_ENABLE = 1 << 0
FP_CTRL_KEY = 1 << 1
FP_CTRL_RESET = 0x1000_0080
"""Version 2: eight breakpoints at any address, no literal comparators, no remapping (TRM 10.4)."""
FP_REMAP = 0x004
FP_COMP0 = 0x008
COMPARATORS = 8


class Fpb(Component):
    """Comparators as the debugger sets them; the debug logic acts on `addresses`."""

    POWER_ON_ONLY = True

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine, "FPB", 0xE000_2000, identification(0x00E, CLASS_GENERIC), lock=True)

    @property
    def addresses(self) -> frozenset[int]:
        """Where the core must halt before it executes."""
        if not self.registers.get(FP_CTRL, 0) & FP_CTRL_ENABLE:
            return frozenset()
        values = (self.registers.get(FP_COMP0 + 4 * n, 0) for n in range(COMPARATORS))
        return frozenset(value & ~1 for value in values if value & 1)

    def read(self, offset: int) -> int:
        if offset == FP_CTRL:
            return FP_CTRL_RESET | (self.registers.get(FP_CTRL, 0) & FP_CTRL_ENABLE)
        return super().read(offset)

    def store(self, offset: int, value: int) -> None:
        if offset == FP_CTRL:
            if value & FP_CTRL_KEY:
                super().store(offset, value & FP_CTRL_ENABLE)
        elif FP_COMP0 <= offset < FP_COMP0 + 4 * COMPARATORS:
            super().store(offset, value)
