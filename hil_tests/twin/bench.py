"""Timers and DMA on their buses without a core: virtual time moves when a test says so."""

from __future__ import annotations

from hil.twin.bus import Bus
from hil.twin.clock import TICKS_PER_CYCLE, Clock
from hil.twin.machine import HSI_HZ, ClockTree, Machine
from hil.twin.memory import Memory
from hil.twin.nvic import FIRST_IRQ, Nvic
from hil.twin.peripherals import layout
from hil.twin.peripherals import rcc as r
from hil.twin.peripherals.tim import Timer
from hil.twin.scheduler import Scheduler
from hil.twin.state import NEVER, CoreState

SRAM = 0x2001_0000


class Bench:
    """The peripherals of a twin; `bus` is what firmware sees. All clocks of timers and DMA are on."""

    def __init__(self) -> None:
        self.state = CoreState(ticks_per_instruction=100, instruction_limit=NEVER, fpu_off=1)
        self.memory = Memory()
        self.clock = Clock(self.state, HSI_HZ)
        self.warnings: list[str] = []
        tree = ClockTree(25_000_000, apply_core=self.clock.set_hz)
        scheduler = Scheduler()
        self.machine = Machine(self.state, self.clock, scheduler, self.memory, tree, self.warnings.append)
        self.machine.nvic = Nvic(self.machine)
        self.bus = Bus()
        self.peripherals = layout.build(self.machine, self.bus, exceptions=None)  # type: ignore[arg-type]
        self.peripherals.reset()
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
