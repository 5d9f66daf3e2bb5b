"""Small parts of the system control space: MPU, FPU context, cache operations, STIR."""

from __future__ import annotations

from typing import ClassVar

from hil.twin.fp_context import FpContext
from hil.twin.machine import Machine
from hil.twin.mpu import MPU_CTRL_ENABLE, MPU_RBAR_VALID, REGIONS, MpuRegion, MpuRegions
from hil.twin.nvic import FIRST_IRQ, IRQS
from hil.twin.peripherals.peripheral import Peripheral
from hil.twin.protection import Protection

STIR_OFFSET = 0x00
MPU_TYPE = 0x00
MPU_CTRL = 0x04
MPU_RNR = 0x08
MPU_RBAR = 0x0C
MPU_END = 0x2C
MPU_RASR_WRITABLE = 0x173F_FF3F


class AuxiliaryControl(Peripheral):
    """ICTR and ACTLR (0xE000E000): four groups of 32 interrupt lines."""

    RESET_VALUES: ClassVar[dict[int, int]] = {0x04: 0x3}

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine, "ACTLR", 0xE000_E000, 0x10)


class Mpu(Peripheral):
    """The memory protection unit's registers (ARMv7-M ARM B3.5): MPU_RNR and three aliases of RBAR, RASR."""

    RESET_VALUES: ClassVar[dict[int, int]] = {MPU_TYPE: REGIONS << 8}

    def __init__(self, machine: Machine, regions: MpuRegions, protection: Protection) -> None:
        super().__init__(machine, "MPU", 0xE000_ED90, 0x30)
        self._mpu = regions
        self._protection = protection

    @property
    def _selected(self) -> MpuRegion:
        return self._mpu.regions[self.registers.get(MPU_RNR, 0)]

    def read(self, offset: int) -> int:
        if offset == MPU_CTRL:
            return self._mpu.control
        if offset <= MPU_RNR:
            return super().read(offset)
        if offset >= MPU_END:
            return 0
        if (offset - MPU_RBAR) & 4:
            return self._selected.rasr
        return self._selected.rbar | self.registers.get(MPU_RNR, 0)

    def peek(self, offset: int) -> int:
        return self.read(offset)

    def write(self, offset: int, value: int) -> None:
        if offset == MPU_TYPE or offset >= MPU_END:
            return
        if offset == MPU_RNR:
            self.registers[MPU_RNR] = value & (REGIONS - 1)
            return
        before = self._mpu.copy()
        if offset == MPU_CTRL:
            self._mpu.control = value & 7
        elif (offset - MPU_RBAR) & 4:
            self._selected.rasr = value & MPU_RASR_WRITABLE
        else:
            if value & MPU_RBAR_VALID:
                self.registers[MPU_RNR] = value & (REGIONS - 1)
            self._selected.rbar = value & ~0x1F
        if self._mpu.copy() != before and (before[0] | self._mpu.control) & MPU_CTRL_ENABLE:
            self.machine.later(self._protection.changed)


class Stir(Peripheral):
    """Software trigger interrupt register (ARMv7-M ARM B3.4.10)."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine, "STIR", 0xE000_EF00, 0x10)

    def write(self, offset: int, value: int) -> None:
        if offset == STIR_OFFSET and value < IRQS:
            self.machine.nvic.pend(FIRST_IRQ + value)


class FpuContext(Peripheral):
    """FPCCR, FPCAR, FPDSCR, MVFR0..2 (ARMv7-M ARM B3.2.21)."""

    RESET_VALUES: ClassVar[dict[int, int]] = {
        0x10: 0x1011_0021,  # MVFR0: single precision, 32 registers of 32 bits
        0x14: 0x1100_0011,
        0x18: 0x0000_0040,
    }

    def __init__(self, machine: Machine, context: FpContext) -> None:
        super().__init__(machine, "FPU", 0xE000_EF30, 0x20)
        self._context = context

    def read(self, offset: int) -> int:
        match offset:
            case 0x04:
                return self._context.fpccr
            case 0x08:
                return self._context.fpcar
            case 0x0C:
                return self._context.fpdscr
        return super().read(offset)

    def peek(self, offset: int) -> int:
        return self.read(offset)

    def write(self, offset: int, value: int) -> None:
        match offset:
            case 0x04:
                self._context.set_control(value)
            case 0x08:
                self._context.fpcar = value & ~7
            case 0x0C:
                self._context.set_default_status(value)


class CacheMaintenance(Peripheral):
    """Cache operations (ARMv7-M ARM B2.2.7): accepted. The twin's memories are always coherent."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine, "cache maintenance", 0xE000_EF50, 0x60)

    def write(self, offset: int, value: int) -> None:
        pass
