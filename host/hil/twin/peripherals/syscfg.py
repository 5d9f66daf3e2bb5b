"""System configuration controller (RM0385 chapter 7): which port is behind an EXTI line, and odds."""

from __future__ import annotations

from collections.abc import Callable

from hil.twin.machine import Machine
from hil.twin.peripherals.peripheral import Peripheral

SYSCFG_MEMRMP = 0x00
SYSCFG_MEMRMP_MEM_BOOT = 1 << 0
SYSCFG_PMC = 0x04
SYSCFG_EXTICR1 = 0x08
SYSCFG_EXTICR4 = 0x14
SYSCFG_CMPCR = 0x20
SYSCFG_CMPCR_CMP_PD = 1 << 0
SYSCFG_CMPCR_READY = 1 << 8


class Syscfg(Peripheral):
    """Stores; tells EXTI when a line changes its port."""

    def __init__(self, machine: Machine, base: int = 0x4001_3800) -> None:
        super().__init__(machine, "SYSCFG", base)
        self.on_selection: Callable[[], None] = lambda: None

    def port_of(self, line: int) -> int:
        """EXTICR: 0 for port A, 1 for port B and so on."""
        return self.registers.get(SYSCFG_EXTICR1 + line // 4 * 4, 0) >> line % 4 * 4 & 0xF

    def read(self, offset: int) -> int:
        value = super().read(offset)
        if offset == SYSCFG_CMPCR and value & SYSCFG_CMPCR_CMP_PD:
            value |= SYSCFG_CMPCR_READY  # the compensation cell is ready at once
        return value

    def write(self, offset: int, value: int) -> None:
        if offset == SYSCFG_MEMRMP:
            value &= ~SYSCFG_MEMRMP_MEM_BOOT
        elif offset == SYSCFG_CMPCR:
            value &= SYSCFG_CMPCR_CMP_PD
        super().write(offset, value)
        if SYSCFG_EXTICR1 <= offset <= SYSCFG_EXTICR4:
            self.on_selection()
