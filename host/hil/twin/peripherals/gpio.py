"""General-purpose I/O (RM0385 chapter 6): pins that the port, the host or a pull resistor drives."""

from __future__ import annotations

from collections.abc import Callable

from hil.twin.machine import Machine
from hil.twin.peripherals.peripheral import Peripheral

GPIO_MODER = 0x00
GPIO_OTYPER = 0x04
GPIO_OSPEEDR = 0x08
GPIO_PUPDR = 0x0C
GPIO_IDR = 0x10
GPIO_ODR = 0x14
GPIO_BSRR = 0x18
GPIO_LCKR = 0x1C
GPIO_LCKR_LCKK = 1 << 16
GPIO_AFRL = 0x20
GPIO_AFRH = 0x24
GPIO_MODER_OUTPUT = 0b01
GPIO_MODER_ANALOG = 0b11
GPIO_PUPDR_UP = 0b01

PINS = 16
_PINS_MASK = 0xFFFF
# The debug port's pins start in their alternate function (RM0385 6.4.1 to 6.4.4).
_AFTER_RESET = {
    "GPIOA": {GPIO_MODER: 0xA800_0000, GPIO_OSPEEDR: 0x0C00_0000, GPIO_PUPDR: 0x6400_0000},
    "GPIOB": {GPIO_MODER: 0x0000_0280, GPIO_OSPEEDR: 0x0000_00C0, GPIO_PUPDR: 0x0000_0100},
}
_BITS_PER_PIN = {GPIO_MODER: 2, GPIO_OTYPER: 1, GPIO_OSPEEDR: 2, GPIO_PUPDR: 2, GPIO_AFRL: 4, GPIO_AFRH: 4}


class Gpio(Peripheral):
    """One port; `listeners` are called when the level at any of its pins changes."""

    def __init__(self, machine: Machine, name: str, base: int) -> None:
        super().__init__(machine, name, base)
        self.listeners: list[Callable[[], None]] = []
        self.level = 0
        """The levels at the 16 pins, whoever drives them."""
        self._host_drives = 0
        self._host_levels = 0
        self.reset()

    def reset(self) -> None:
        super().reset()
        self.registers.update(_AFTER_RESET.get(self.name, {}))
        self._lock_step = 0
        self._locked = 0
        self._follow_modes()
        self._settle()

    @property
    def inputs(self) -> int:
        """The levels that the host drives; to set them drives all 16 pins."""
        return self._host_levels & self._host_drives

    @inputs.setter
    def inputs(self, levels: int) -> None:
        self._host_drives, self._host_levels = _PINS_MASK, levels & _PINS_MASK
        self._settle()

    def drive(self, pin: int, level: bool | None) -> None:
        """The host drives `pin` high or low from now on; with None it lets go."""
        if not 0 <= pin < PINS:
            raise ValueError(f"{self.name} has pins 0 to 15, not {pin}")
        self._host_drives = self._host_drives & ~(1 << pin) | (level is not None) << pin
        self._host_levels = self._host_levels & ~(1 << pin) | bool(level) << pin
        self._settle()

    def alternate_function(self, pin: int) -> int:
        """AFRL, AFRH: the number of the function that `pin` has in alternate mode."""
        return self.registers.get(GPIO_AFRL + pin // 8 * 4, 0) >> pin % 8 * 4 & 0xF

    def read(self, offset: int) -> int:
        if offset == GPIO_IDR:
            return self.level & ~self._analog
        if offset == GPIO_LCKR:
            if self._lock_step == 3:  # the read that ends the sequence
                self._lock_step = 4
                self._locked = self.registers.get(GPIO_LCKR, 0) & _PINS_MASK
            return self.registers.get(GPIO_LCKR, 0) | (GPIO_LCKR_LCKK if self._lock_step == 4 else 0)
        return 0 if offset == GPIO_BSRR else super().read(offset)

    def peek(self, offset: int) -> int:
        return 0 if offset == GPIO_BSRR else super().peek(offset)

    def write(self, offset: int, value: int) -> None:
        if offset == GPIO_BSRR:  # a set bit wins over a reset bit (RM0385 6.4.7)
            kept = self.registers.get(GPIO_ODR, 0) & ~(value >> 16)
            self.registers[GPIO_ODR] = kept | (value & _PINS_MASK)
        elif offset == GPIO_LCKR:
            self._write_lock(value)
        elif offset == GPIO_ODR:
            self.registers[GPIO_ODR] = value & _PINS_MASK
        elif offset != GPIO_IDR:
            fixed = self._fixed_bits(offset) if self._locked else 0
            super().write(offset, self.registers.get(offset, 0) & fixed | value & ~fixed)
            self._follow_modes()
        self._settle()

    def _write_lock(self, value: int) -> None:
        """LCKK must be written 1, 0, 1 with the same pins, then read (RM0385 6.4.8)."""
        if self._lock_step == 4:
            return
        pins, key = value & _PINS_MASK, bool(value & GPIO_LCKR_LCKK)
        same = pins == self.registers.get(GPIO_LCKR, 0)
        if self._lock_step in (1, 2) and same and key == (self._lock_step == 2):
            self._lock_step += 1
        else:
            self._lock_step = 1 if key else 0
        self.registers[GPIO_LCKR] = pins

    def _fixed_bits(self, offset: int) -> int:
        width = _BITS_PER_PIN.get(offset, 0)
        first = 8 if offset == GPIO_AFRH else 0
        pins = range(first, min(PINS, first + 32 // width)) if width else range(0)
        return sum(((1 << width) - 1) << width * (pin - first) for pin in pins if self._locked >> pin & 1)

    def _pins_with(self, offset: int, field: int) -> int:
        register = self.registers.get(offset, 0)
        return sum(1 << pin for pin in range(PINS) if register >> 2 * pin & 3 == field)

    def _follow_modes(self) -> None:
        self._analog = self._pins_with(GPIO_MODER, GPIO_MODER_ANALOG)
        self._outputs = self._pins_with(GPIO_MODER, GPIO_MODER_OUTPUT)
        self._pulled = self._pins_with(GPIO_PUPDR, GPIO_PUPDR_UP)

    def _settle(self) -> None:
        """Who drives each pin: the port, else the host, else a pull-up; a floating pin is low."""
        odr = self.registers.get(GPIO_ODR, 0)
        # An open-drain output only pulls low.
        driven = self._outputs & ~(self.registers.get(GPIO_OTYPER, 0) & odr)
        outside = self._host_levels & self._host_drives | self._pulled & ~self._host_drives
        level = odr & driven | outside & ~driven
        if level != self.level:
            self.level = level
            for listener in self.listeners:
                listener()
