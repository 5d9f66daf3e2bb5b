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

    def peek(self, offset: int) -> int:
        """What a partial write merges into: the stored value, without effects."""
        return self.registers.get(offset, 0)
