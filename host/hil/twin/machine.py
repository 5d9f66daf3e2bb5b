"""What a peripheral may use of the rest of the chip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from hil.twin.clock import Clock
from hil.twin.debug_freeze import DebugFreeze
from hil.twin.memory import Memory
from hil.twin.scheduler import Alarm, Scheduler
from hil.twin.state import CoreState

if TYPE_CHECKING:
    from hil.twin.bus import Bus
    from hil.twin.nvic import Nvic
    from hil.twin.peripherals.dma import DmaRequests
    from hil.twin.peripherals.flash import FlashInterface
    from hil.twin.shared_line import SharedLines

HSI_HZ = 16_000_000
LSI_HZ = 32_000
LSE_HZ = 32_768


class ResetCause(StrEnum):
    """What reset the chip, as RCC_CSR tells it (RM0385 5.3.21)."""

    POWER_ON = "power-on"
    PIN = "pin"
    SOFTWARE = "software"
    INDEPENDENT_WATCHDOG = "independent watchdog"
    WINDOW_WATCHDOG = "window watchdog"
    STANDBY = "wake-up from Standby"
    BROWN_OUT = "brown-out"
    """The supply dipped below the BOR threshold, and RAM kept what it held (RM0385 4.2.2)."""


@dataclass
class ClockTree:
    """The frequencies that RCC makes from what firmware wrote, in hertz."""

    hse_hz: int
    sysclk_hz: int = HSI_HZ
    hclk_hz: int = HSI_HZ
    pclk1_hz: int = HSI_HZ
    pclk2_hz: int = HSI_HZ
    timer1_hz: int = HSI_HZ
    timer2_hz: int = HSI_HZ
    pll48_hz: int = 0
    """The clock of USB and RNG; 0 while its PLL is off."""
    listeners: list[Callable[[], None]] = field(default_factory=list)
    """Called before the frequencies change, to bring counters up to date at the old ones."""
    after_change: list[Callable[[], None]] = field(default_factory=list)
    """What those listeners want done at the new ones."""
    apply_core: Callable[[int], None] = lambda hz: None
    """Sets the speed of virtual time itself."""

    def change(self, **frequencies: int) -> None:
        """Takes new frequencies, all of them by name."""
        if all(getattr(self, name) == hz for name, hz in frequencies.items()):
            return
        for listener in self.listeners:
            listener()
        for name, hz in frequencies.items():
            setattr(self, name, hz)
        self.apply_core(self.hclk_hz)
        waiting, self.after_change = self.after_change, []
        for action in waiting:
            action()


@dataclass
class Machine:
    """The shared parts of one twin."""

    state: CoreState
    clock: Clock
    scheduler: Scheduler
    memory: Memory
    tree: ClockTree
    warn: Callable[[str], None]
    reset_request: ResetCause | None = None
    stop_request: bool = False
    until_fs: int = 0
    """The end of the run that goes on, in elapsed time."""
    debugger_access: bool = False
    """Set while a debug port reads or writes: software locks do not hold for it."""
    chores: list[Callable[[], None]] = field(default_factory=list)
    """What the run loop does before it executes on."""
    stop_here: Callable[[], None] = lambda: None
    """Stops the core on the instruction that accesses a peripheral; it is repeated."""
    dma_changes: int = 0
    """Moves on when the CR of any DMA stream changes: what peripherals found out is no longer sure."""
    freeze: DebugFreeze = field(default_factory=DebugFreeze)
    bus: Bus = field(init=False)
    nvic: Nvic = field(init=False)
    dma: DmaRequests = field(init=False)
    flash: FlashInterface = field(init=False)
    lines: SharedLines = field(init=False)

    def later(self, chore: Callable[[], None]) -> None:
        """Runs `chore` before anything else executes: what would pull code from under the core.

        The instruction that writes the register is repeated, and must not ask again.
        """
        self.chores.append(chore)
        self.attention()
        self.stop_here()

    def __post_init__(self) -> None:
        self.scheduler.stopped_fs = lambda: self.clock.stopped_fs

    def attention(self) -> None:
        """Stops the core at the next block, for the run loop to look around."""
        self.state.attention = 1

    def next_deadline(self) -> None:
        """The event that the core was to stop for has been served: it may run to the next."""
        self.state.deadline = max(0, self.clock.ticks_at(self.next_stop_fs()))

    def next_stop_fs(self) -> int:
        """The next alarm or the end of the run, on the chip's clocks."""
        next_fs, until_fs = self.scheduler.next_fs(), self.until_fs - self.clock.stopped_fs
        return until_fs if next_fs is None else min(next_fs, until_fs)

    def alarm(self, action: Callable[[], None]) -> Alarm:
        """A timed action on the chip's clocks, not set."""
        return self.scheduler.alarm(action)

    def always_alarm(self, action: Callable[[], None]) -> Alarm:
        """A timed action on elapsed time, for what runs on LSE or LSI; not set."""
        return self.scheduler.always_alarm(action)

    def request_reset(self, cause: ResetCause) -> None:
        """Resets the chip at the next block."""
        self.reset_request = cause
        self.attention()
