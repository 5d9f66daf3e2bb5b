"""CRC calculation unit (RM0385 chapter 12)."""

from __future__ import annotations

from typing import ClassVar

from hil.twin.machine import Machine
from hil.twin.peripherals.peripheral import Peripheral

CRC_DR = 0x00
CRC_IDR = 0x04
CRC_CR = 0x08
CRC_CR_RESET = 1 << 0
CRC_CR_REV_OUT = 1 << 7
CRC_INIT = 0x10
CRC_POL = 0x14

_SIZES = (32, 16, 8, 7)
"""Bits of the polynomial by CR.POLYSIZE."""


class Crc(Peripheral):
    """Feeds what is written to DR through the polynomial, most significant bit first."""

    RESET_VALUES: ClassVar[dict[int, int]] = {
        CRC_DR: 0xFFFF_FFFF,
        CRC_INIT: 0xFFFF_FFFF,
        CRC_POL: 0x04C1_1DB7,
    }

    def __init__(self, machine: Machine, base: int = 0x4002_3000) -> None:
        super().__init__(machine, "CRC", base)

    @property
    def _bits(self) -> int:
        return _SIZES[self.registers.get(CRC_CR, 0) >> 3 & 3]

    def read(self, offset: int) -> int:
        if offset != CRC_DR:
            return super().read(offset)
        value = self.registers[CRC_DR] & ((1 << self._bits) - 1)
        return _reversed(value, self._bits) if self.registers.get(CRC_CR, 0) & CRC_CR_REV_OUT else value

    def write(self, offset: int, value: int) -> None:
        match offset:
            case 0x00:
                self._feed(value, 32)
            case 0x04:
                self.registers[CRC_IDR] = value & 0xFF
            case 0x08:
                self.registers[CRC_CR] = value & 0xF8
                if value & CRC_CR_RESET:
                    self.registers[CRC_DR] = self.registers[CRC_INIT]
            case 0x10:
                self.registers[CRC_INIT] = self.registers[CRC_DR] = value
            case 0x14:
                self.registers[CRC_POL] = value

    def write_narrow(self, offset: int, width: int, value: int) -> None:
        if offset & ~3 == CRC_DR:
            self._feed(value, 8 * width)
        else:
            super().write_narrow(offset, width, value)

    def _feed(self, data: int, data_bits: int) -> None:
        """One access: 8, 16 or 32 bits, turned round by bytes, halfwords or as a word (REV_IN)."""
        unit = (data_bits, 8, 16, 32)[self.registers.get(CRC_CR, 0) >> 5 & 3]
        unit = min(unit, data_bits)
        if self.registers.get(CRC_CR, 0) >> 5 & 3:
            parts = [data >> at & ((1 << unit) - 1) for at in range(0, data_bits, unit)]
            data = sum(_reversed(part, unit) << unit * i for i, part in enumerate(parts))
        bits = self._bits
        mask, top, polynomial = (1 << bits) - 1, 1 << bits - 1, self.registers[CRC_POL]
        crc = self.registers[CRC_DR] & mask
        for at in reversed(range(data_bits)):
            feedback = bool(crc & top) ^ (data >> at & 1)
            crc = (crc << 1 ^ (polynomial if feedback else 0)) & mask
        self.registers[CRC_DR] = crc


def _reversed(value: int, bits: int) -> int:
    return int(f"{value:0{bits}b}"[::-1], 2)
