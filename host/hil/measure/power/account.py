"""From counts to millijoules.

Current is linear in instructions per cycle, so charge is linear in cycles and in instructions: the energy
of a window does not depend on where it is cut.
"""

from __future__ import annotations

from dataclasses import dataclass

from hil.measure.power import current
from hil.measure.power.chip import STM32F746, SUPPLY_VOLTS, Chip
from hil.measure.power.conditions import TICKS_PER_CYCLE, Conditions, Counts, Usage

_SECOND_FS = 10**15


@dataclass(frozen=True)
class McuEnergy:
    """Millijoules of the microcontroller, and the times they were spent in."""

    run: float = 0.0
    """The core awake, peripherals left out."""
    sleep: float = 0.0
    stop: float = 0.0
    peripherals_run: float = 0.0
    peripherals_sleep: float = 0.0
    run_s: float = 0.0
    sleep_s: float = 0.0
    stop_s: float = 0.0
    run_cycles: float = 0.0
    instructions: int = 0

    @property
    def peripherals(self) -> float:
        return self.peripherals_run + self.peripherals_sleep

    @property
    def total(self) -> float:
        return self.run + self.sleep + self.stop + self.peripherals

    @property
    def seconds(self) -> float:
        return self.run_s + self.sleep_s + self.stop_s

    @property
    def ipc(self) -> float | None:
        """Instructions per cycle while awake; None when it never was."""
        return self.instructions / self.run_cycles if self.run_cycles else None

    def __add__(self, other: McuEnergy) -> McuEnergy:
        return McuEnergy(
            self.run + other.run,
            self.sleep + other.sleep,
            self.stop + other.stop,
            self.peripherals_run + other.peripherals_run,
            self.peripherals_sleep + other.peripherals_sleep,
            self.run_s + other.run_s,
            self.sleep_s + other.sleep_s,
            self.stop_s + other.stop_s,
            self.run_cycles + other.run_cycles,
            self.instructions + other.instructions,
        )


def mcu_energy(usage: Usage, chip: Chip = STM32F746) -> McuEnergy | None:
    """The energy of a window; None when the core was clocked outside the chip's table in part of it."""
    total = McuEnergy()
    for setting, counts in usage.items():
        if counts.clocked and not current.covers(setting.hclk_hz, chip):
            return None
        total += _energy(setting, counts, chip)
    return total


def _energy(setting: Conditions, counts: Counts, chip: Chip) -> McuEnergy:
    hz, scale = setting.hclk_hz, setting.scale
    stop_s = counts.stop_fs / _SECOND_FS
    stop = current.deep_ma(setting.deep, chip) * stop_s * SUPPLY_VOLTS
    if not counts.clocked:
        return McuEnergy(stop=stop, stop_s=stop_s)
    run_s, sleep_s = (ticks / (TICKS_PER_CYCLE * hz) for ticks in (counts.run_ticks, counts.sleep_ticks))
    instruction_s = counts.instructions / hz
    run_mas = (
        current.stalled_ma(hz, scale, chip) * run_s + current.per_ipc_ma(hz, scale, chip) * instruction_s
    )
    return McuEnergy(
        run=run_mas * SUPPLY_VOLTS,
        sleep=current.sleep_ma(hz, scale, chip) * sleep_s * SUPPLY_VOLTS,
        stop=stop,
        peripherals_run=current.peripherals_ma(setting) * run_s * SUPPLY_VOLTS,
        peripherals_sleep=current.peripherals_ma(setting, asleep=True) * sleep_s * SUPPLY_VOLTS,
        run_s=run_s,
        sleep_s=sleep_s,
        stop_s=stop_s,
        run_cycles=counts.run_ticks / TICKS_PER_CYCLE,
        instructions=counts.instructions,
    )
