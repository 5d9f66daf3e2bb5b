"""General-purpose I/O (RM0385 chapter 6): pins that store, and inputs that the host can drive."""

from __future__ import annotations

from hil.twin.machine import Machine
from hil.twin.peripherals.peripheral import Peripheral

GPIO_MODER = 0x00
GPIO_IDR = 0x10
GPIO_ODR = 0x14
GPIO_BSRR = 0x18
GPIO_MODER_OUTPUT = 0b01

_MODER_AFTER_RESET = {"GPIOA": 0xA800_0000, "GPIOB": 0x0000_0280}


class Gpio(Peripheral):
    """One port. `inputs` are the levels at its pins, as far as the port does not drive them."""

    def __init__(self, machine: Machine, name: str, base: int) -> None:
        super().__init__(machine, name, base)
        self.inputs = 0
        self.reset()

    def reset(self) -> None:
        super().reset()
        self.registers[GPIO_MODER] = _MODER_AFTER_RESET.get(self.name, 0)

    def read(self, offset: int) -> int:
        if offset == GPIO_IDR:
            driven = self._outputs()
            return (self.registers.get(GPIO_ODR, 0) & driven) | (self.inputs & ~driven & 0xFFFF)
        return super().read(offset)

    def peek(self, offset: int) -> int:
        return 0 if offset == GPIO_BSRR else super().peek(offset)

    def write(self, offset: int, value: int) -> None:
        if offset == GPIO_BSRR:  # a set bit wins over a reset bit (RM0385 6.4.7)
            kept = self.registers.get(GPIO_ODR, 0) & ~(value >> 16)
            self.registers[GPIO_ODR] = kept | (value & 0xFFFF)
        elif offset != GPIO_IDR:
            super().write(offset, value)

    def _outputs(self) -> int:
        moder = self.registers.get(GPIO_MODER, 0)
        return sum(1 << pin for pin in range(16) if moder >> 2 * pin & 3 == GPIO_MODER_OUTPUT)
