"""What current depends on, and what is counted while it holds.

Everything here is an integer or a name, so that two runs agree to the last digit and a window may be
cut anywhere: its pieces add up exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

TICKS_PER_CYCLE = 100
"""Counts are in 1/100 core cycle, as the twin's clock keeps them."""


class State(StrEnum):
    """What the core does (RM0385 table 13)."""

    RUN = "run"
    SLEEP = "sleep"
    STOP = "stop"
    """Clocks stopped, main regulator on."""
    STOP_UNDER_DRIVE = "stop under-drive"
    """Clocks stopped, low-power regulator in under-drive."""
    STANDBY = "standby"


@dataclass(frozen=True)
class Conditions:
    """A setting of the chip. Frequencies in hertz."""

    hclk_hz: int
    pclk1_hz: int
    pclk2_hz: int
    scale: int
    """Voltage scale of the regulator, 1 (highest) to 3 (RM0385 4.1.4)."""
    running: tuple[str, ...] = ()
    """Peripherals whose clock is on while the core runs."""
    sleeping: tuple[str, ...] = ()
    """Those of them whose clock stays on while it sleeps."""
    deep: State = State.STOP
    """Where a deep sleep leads."""


@dataclass(frozen=True)
class Counts:
    """What passed under one setting."""

    run_ticks: int = 0
    sleep_ticks: int = 0
    stop_fs: int = 0
    """Femtoseconds in deep sleep, when no core clock ticks."""
    instructions: int = 0

    @property
    def clocked(self) -> bool:
        """Whether any of it passed outside deep sleep."""
        return bool(self.run_ticks or self.sleep_ticks or self.instructions)

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.run_ticks + other.run_ticks,
            self.sleep_ticks + other.sleep_ticks,
            self.stop_fs + other.stop_fs,
            self.instructions + other.instructions,
        )

    def __sub__(self, other: Counts) -> Counts:
        return Counts(
            self.run_ticks - other.run_ticks,
            self.sleep_ticks - other.sleep_ticks,
            self.stop_fs - other.stop_fs,
            self.instructions - other.instructions,
        )


NOTHING = Counts()

Usage = Mapping[Conditions, Counts]
"""Counts by setting: since power-on, or over a window."""


def since(now: Usage, then: Usage) -> dict[Conditions, Counts]:
    """The window between two usages of one twin."""
    return {
        setting: window
        for setting, counts in now.items()
        if (window := counts - then.get(setting, NOTHING)) != NOTHING
    }
