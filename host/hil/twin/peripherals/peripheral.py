"""What all peripherals have in common: registers that store, and hooks to give them a meaning."""

from __future__ import annotations

from typing import ClassVar

from hil.twin.machine import Machine


class Peripheral:
    """A block of 32-bit registers.

    A plain register stores what is written. Subclasses override `read` and `write` for the others,
    and `peek` where a read has side effects: it feeds writes of one or two bytes.
    """

    RESET_VALUES: ClassVar[dict[int, int]] = {}
    POWER_ON_ONLY: ClassVar[bool] = False
    """A reset of the chip leaves it alone: it is part of the debug domain."""

    def __init__(self, machine: Machine, name: str, base: int, size: int = 0x400) -> None:
        self.machine = machine
        self.name = name
        self.base = base
        self.size = size
        self.clocked = True
        """Whether RCC feeds the peripheral; without, it reads 0 and ignores writes."""
        self.registers: dict[int, int] = dict(self.RESET_VALUES)

    def reset(self) -> None:
        """Registers take their reset values."""
        self.registers = dict(self.RESET_VALUES)

    def read(self, offset: int) -> int:
        """The 32-bit register at `offset`, with the effects that reading has."""
        return self.registers.get(offset, 0)

    def write(self, offset: int, value: int) -> None:
        """Stores 32 bits at `offset`."""
        self.registers[offset] = value

    def write_narrow(self, offset: int, width: int, value: int) -> None:
        """Stores one or two bytes at any `offset`: they merge into the stored register."""
        shift, mask = 8 * (offset & 3), (1 << 8 * width) - 1
        merged = (self.peek(offset & ~3) & ~(mask << shift)) | (value & mask) << shift
        self.write(offset & ~3, merged & 0xFFFF_FFFF)

    def power_on(self, vbat: bool) -> None:
        """What only a loss of supply resets takes its reset value; `vbat` kept the backup domain."""

    def peek(self, offset: int) -> int:
        """What a partial write merges into: the stored value, without effects."""
        return self.registers.get(offset, 0)
