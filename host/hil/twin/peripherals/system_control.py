"""Small parts of the system control space that only store: MPU, FPU context, cache operations, STIR."""

from __future__ import annotations

from typing import ClassVar

from hil.twin.machine import Machine
from hil.twin.nvic import FIRST_IRQ, IRQS
from hil.twin.peripherals.peripheral import Peripheral

STIR_OFFSET = 0x00
MPU_TYPE = 0x00
MPU_CTRL = 0x04
MPU_RNR = 0x08


class AuxiliaryControl(Peripheral):
    """ICTR and ACTLR (0xE000E000): four groups of 32 interrupt lines."""

    RESET_VALUES: ClassVar[dict[int, int]] = {0x04: 0x3}

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine, "ACTLR", 0xE000_E000, 0x10)


class Mpu(Peripheral):
    """The memory protection unit (ARMv7-M ARM B3.5): eight regions that are stored, not enforced."""

    RESET_VALUES: ClassVar[dict[int, int]] = {MPU_TYPE: 8 << 8}

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine, "MPU", 0xE000_ED90, 0x30)
        self._regions: dict[tuple[int, int], int] = {}

    def read(self, offset: int) -> int:
        if offset > MPU_RNR:
            return self._regions.get((self.registers.get(MPU_RNR, 0), (offset - 0xC) & 4), 0)
        return super().read(offset)

    def write(self, offset: int, value: int) -> None:
        if offset > MPU_RNR:
            if (offset - 0xC) & 4 == 0 and value & 0x10:  # RBAR.VALID selects the region
                self.registers[MPU_RNR] = value & 0xF
            self._regions[self.registers.get(MPU_RNR, 0), (offset - 0xC) & 4] = value
        elif offset != MPU_TYPE:
            super().write(offset, value)


class Stir(Peripheral):
    """Software trigger interrupt register (ARMv7-M ARM B3.4.10)."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine, "STIR", 0xE000_EF00, 0x10)

    def write(self, offset: int, value: int) -> None:
        if offset == STIR_OFFSET and value < IRQS:
            self.machine.nvic.pend(FIRST_IRQ + value)


class FpuContext(Peripheral):
    """FPCCR, FPCAR, FPDSCR, MVFR0..2 (ARMv7-M ARM B3.2.21): stored. Stacking is never lazy here."""

    RESET_VALUES: ClassVar[dict[int, int]] = {
        0x04: 0xC000_0000,  # FPCCR: ASPEN, LSPEN
        0x10: 0x1011_0021,  # MVFR0: single precision, 32 registers of 32 bits
        0x14: 0x1100_0011,
        0x18: 0x0000_0040,
    }

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine, "FPU", 0xE000_EF30, 0x20)


class CacheMaintenance(Peripheral):
    """Cache operations (ARMv7-M ARM B2.2.7): accepted. The twin's memories are always coherent."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine, "cache maintenance", 0xE000_EF50, 0x60)

    def write(self, offset: int, value: int) -> None:
        pass
