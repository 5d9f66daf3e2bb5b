"""The model: milliamperes of the microcontroller in a state."""

from __future__ import annotations

from functools import lru_cache

from hil.measure.power.chip import CORE_VOLTS, SCALE_LIMITS_HZ, STM32F746, Chip
from hil.measure.power.coefficient import Coefficient
from hil.measure.power.conditions import Conditions, State
from hil.measure.power.peripherals import LISTED


def covers(clock_hz: float, chip: Chip = STM32F746) -> bool:
    """Whether the chip's table has the clock between its ends."""
    return chip.clocks_mhz[0] <= clock_hz / 1e6 <= chip.clocks_mhz[-1]


def lowest_scale(clock_hz: float) -> int:
    """The voltage scale that just allows `clock_hz`; the table's currents were measured with it."""
    return next((scale for scale, limit_hz in SCALE_LIMITS_HZ if clock_hz <= limit_hz), 1)


def run_ma(clock_hz: int, ipc: float, scale: int | None = None, chip: Chip = STM32F746) -> float:
    """The awake core without peripherals, at `ipc` instructions a cycle. `scale` None: the lowest."""
    return stalled_ma(clock_hz, scale, chip) + ipc * per_ipc_ma(clock_hz, scale, chip)


@lru_cache(maxsize=256)
def stalled_ma(clock_hz: int, scale: int | None = None, chip: Chip = STM32F746) -> float:
    """The awake core when it executes nothing: clock tree, fetch, waiting."""
    asleep = sleep_ma(clock_hz, scale, chip)
    return asleep + chip.awake_share * (_table_ma(chip, chip.run_ma, clock_hz, scale) - asleep)


@lru_cache(maxsize=256)
def per_ipc_ma(clock_hz: int, scale: int | None = None, chip: Chip = STM32F746) -> float:
    """What one instruction a cycle adds."""
    awake_ma = _table_ma(chip, chip.run_ma, clock_hz, scale) - sleep_ma(clock_hz, scale, chip)
    return (1 - chip.awake_share) * awake_ma / chip.reference_ipc.value


@lru_cache(maxsize=256)
def sleep_ma(clock_hz: int, scale: int | None = None, chip: Chip = STM32F746) -> float:
    """The core in WFI, peripherals off."""
    return _table_ma(chip, chip.sleep_ma, clock_hz, scale)


def deep_ma(state: State, chip: Chip = STM32F746) -> float:
    """Stop and Standby."""
    found = {
        State.STOP: chip.stop_ma,
        State.STOP_UNDER_DRIVE: chip.stop_under_drive_ma,
        State.STANDBY: chip.standby_ma,
    }
    return found[state].value


@lru_cache(maxsize=256)
def peripherals_ma(setting: Conditions, asleep: bool = False) -> float:
    """The clocks of the peripherals that are on; those without a coefficient count nothing."""
    buses_hz = setting.hclk_hz, setting.pclk1_hz, setting.pclk2_hz
    microamperes = sum(
        LISTED[name][1].value * buses_hz[LISTED[name][0]] / 1e6
        for name in (setting.sleeping if asleep else setting.running)
        if name in LISTED
    )
    return microamperes / 1000 * CORE_VOLTS[setting.scale] / CORE_VOLTS[1]


def current_ma(state: State, setting: Conditions, ipc: float = 0.0, chip: Chip = STM32F746) -> float:
    """Everything the microcontroller draws. Only in RUN does `ipc` matter.

    Raises ValueError when the clock lies outside the chip's table.
    """
    if state not in (State.RUN, State.SLEEP):
        return deep_ma(state, chip)
    if not covers(setting.hclk_hz, chip):
        raise ValueError(f"{setting.hclk_hz} Hz lies outside the table of the {chip.name}")
    if state is State.RUN:
        return run_ma(setting.hclk_hz, ipc, setting.scale, chip) + peripherals_ma(setting)
    return sleep_ma(setting.hclk_hz, setting.scale, chip) + peripherals_ma(setting, asleep=True)


def _table_ma(chip: Chip, entries: tuple[Coefficient, ...], clock_hz: int, scale: int | None) -> float:
    """Interpolated as milliamperes per core volt, in which the table has no steps at its scales."""
    clock_mhz = clock_hz / 1e6
    place = max(index for index, mhz in enumerate(chip.clocks_mhz) if mhz <= clock_mhz)
    low = _per_volt(chip, entries, place)
    if place + 1 < len(entries):
        span_mhz = chip.clocks_mhz[place + 1] - chip.clocks_mhz[place]
        share = (clock_mhz - chip.clocks_mhz[place]) / span_mhz
        low += share * (_per_volt(chip, entries, place + 1) - low)
    return low * CORE_VOLTS[scale or lowest_scale(clock_hz)]


def _per_volt(chip: Chip, entries: tuple[Coefficient, ...], place: int) -> float:
    return entries[place].value / CORE_VOLTS[lowest_scale(chip.clocks_mhz[place] * 1e6)]
