"""Timers and DMA on their buses without a core: virtual time moves when a test says so."""

from __future__ import annotations

from hil.twin.clock import TICKS_PER_CYCLE
from hil.twin.nvic import FIRST_IRQ
from hil.twin.peripherals import rcc as r
from hil.twin.peripherals.tim import Timer
from hil.twin.twin import Twin

SRAM = 0x2001_0000


class Bench:
    """The peripherals of a twin; `bus` is what firmware sees. All clocks of timers and DMA are on."""

    def __init__(self) -> None:
        self._twin = Twin()
        self.state = self._twin._state
        self.memory = self._twin.memory
        self.machine = self._twin._machine
        self.clock = self.machine.clock
        self.warnings = self._twin.warnings
        self.bus = self._twin.bus
        self.peripherals = self._twin.peripherals
        rcc = self.peripherals.rcc
        for register, value in (
            (r.RCC_AHB1ENR, 0x60_01FF),
            (r.RCC_APB1ENR, 0x3FF | 1 << 17),
            (r.RCC_APB2ENR, 0x7_0013),
        ):
            rcc.write(register, value)

    def timer(self, number: int) -> Timer:
        """TIMx."""
        return self.peripherals.timers[f"TIM{number}"]

    def run(self, cycles: int) -> None:
        """Lets `cycles` cycles of HCLK pass, and alarms fire on the way."""
        end = self.state.ticks + cycles * TICKS_PER_CYCLE
        while True:
            next_fs = self.machine.scheduler.next_fs()
            ticks = None if next_fs is None else self.clock.ticks_at(next_fs)
            if ticks is None or ticks > end:
                break
            self.state.ticks = max(self.state.ticks, ticks)
            self.machine.scheduler.run_due(self.clock.now_fs)
        self.state.ticks = end

    @property
    def idle(self) -> bool:
        """No alarm is set."""
        return self.machine.scheduler.next_fs() is None

    def pending(self, irq: int) -> bool:
        """Whether an interrupt waits in the NVIC."""
        return bool(self.machine.nvic.pending >> (FIRST_IRQ + irq) & 1)

    def word(self, address: int) -> int:
        """A 32-bit read as firmware makes it."""
        return self.bus.read(address, 4)

    def put(self, address: int, value: int) -> None:
        """A 32-bit write as firmware makes it."""
        self.bus.write(address, 4, value)
