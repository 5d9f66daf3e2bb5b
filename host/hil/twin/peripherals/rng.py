"""Random number generator (RM0385 chapter 20): a seeded sequence in place of the noise source."""

from __future__ import annotations

from hil.twin.clock import SECOND_FS
from hil.twin.machine import Machine
from hil.twin.peripherals.peripheral import Peripheral

RNG_CR = 0x0
RNG_CR_RNGEN = 1 << 2
RNG_CR_IE = 1 << 3
RNG_SR = 0x4
RNG_SR_DRDY = 1 << 0
RNG_SR_CECS = 1 << 1
RNG_SR_CEIS = 1 << 5
RNG_DR = 0x8

RNG_IRQ = 80
CLOCKS_PER_NUMBER = 40
SLOWEST_HCLK_SHARE = 16
"""The clock error is seen when the generator's clock is below HCLK / 16 (RM0385 20.3.2)."""
SEED = 0x7461_6C69_7665_3436
_MULTIPLIER = 6364136223846793005
_INCREMENT = 1442695040888963407
_MASK = (1 << 64) - 1


class Rng(Peripheral):
    """PCG-XSH-RR (O'Neill 2014): the same numbers in every run; a reset does not repeat them."""

    def __init__(self, machine: Machine, base: int = 0x5006_0800) -> None:
        super().__init__(machine, "RNG", base)
        self._state = SEED
        self._ready_alarm = machine.alarm(self._on_ready)
        machine.tree.listeners.append(lambda: machine.tree.after_change.append(self._follow_clock))

    def reset(self) -> None:
        super().reset()
        self._ready_alarm.set(None)
        self._update_line()

    def power_on(self, vbat: bool) -> None:
        self._state = SEED

    @property
    def _enabled(self) -> bool:
        return bool(self.registers.get(RNG_CR, 0) & RNG_CR_RNGEN)

    @property
    def _clock_error(self) -> bool:
        tree = self.machine.tree
        return self._enabled and tree.pll48_hz * SLOWEST_HCLK_SHARE < tree.hclk_hz

    def read(self, offset: int) -> int:
        if offset == RNG_SR:
            return self.registers.get(RNG_SR, 0) | (RNG_SR_CECS if self._clock_error else 0)
        if offset == RNG_DR:
            return self._take()
        return super().read(offset)

    def peek(self, offset: int) -> int:
        return 0 if offset == RNG_DR else super().peek(offset)

    def write(self, offset: int, value: int) -> None:
        if offset == RNG_CR:
            started = value & ~self.registers.get(RNG_CR, 0) & RNG_CR_RNGEN
            self.registers[RNG_CR] = value & (RNG_CR_RNGEN | RNG_CR_IE)
            if started or not self._enabled:
                self.registers[RNG_SR] = self.registers.get(RNG_SR, 0) & ~RNG_SR_DRDY
                self._follow_clock()
        elif offset == RNG_SR:  # CEIS and SEIS are cleared by writing 0
            self.registers[RNG_SR] = self.registers.get(RNG_SR, 0) & (value | RNG_SR_DRDY)
        self._update_line()

    def _take(self) -> int:
        if not self.registers.get(RNG_SR, 0) & RNG_SR_DRDY:
            return 0
        self.registers[RNG_SR] &= ~RNG_SR_DRDY
        self._follow_clock()
        self._update_line()
        before = self._state
        self._state = (before * _MULTIPLIER + _INCREMENT) & _MASK
        folded, turn = ((before >> 18 ^ before) >> 27) & 0xFFFF_FFFF, before >> 59
        return (folded >> turn | folded << (-turn & 31)) & 0xFFFF_FFFF

    def _follow_clock(self) -> None:
        """The next number takes 40 clocks of the generator, and none comes without a clock."""
        if self._clock_error:
            self.registers[RNG_SR] = self.registers.get(RNG_SR, 0) | RNG_SR_CEIS
        ready = self.registers.get(RNG_SR, 0) & RNG_SR_DRDY
        hz = self.machine.tree.pll48_hz
        if self._enabled and not self._clock_error and not ready and hz:
            self._ready_alarm.set(self.machine.clock.now_fs + CLOCKS_PER_NUMBER * SECOND_FS // hz)
        else:
            self._ready_alarm.set(None)
        self._update_line()

    def _on_ready(self) -> None:
        self.registers[RNG_SR] = self.registers.get(RNG_SR, 0) | RNG_SR_DRDY
        self._update_line()

    def _update_line(self) -> None:
        wanted = self.registers.get(RNG_SR, 0) and self.registers.get(RNG_CR, 0) & RNG_CR_IE
        self.machine.nvic.set_line(RNG_IRQ, bool(wanted))
