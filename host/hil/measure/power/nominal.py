"""What hil's own firmware sets up, for boards that tell how long a stage took and nothing else."""

from __future__ import annotations

from hil.measure.power.coefficient import Coefficient
from hil.measure.power.conditions import TICKS_PER_CYCLE, Conditions, Counts, Usage
from hil.measure.power.current import lowest_scale

NOMINAL_IPC = Coefficient(
    1.2,
    "instructions per cycle",
    "T: AgileNN on the digits on the twin, awake (`energy_mj.ipc` of hil_tests/baselines/twin-digits.json)",
    0.3,
)

PERIPHERALS = ("GPIOA", "GPIOB", "GPIOI", "DMA2", "PWR", "USART1")
"""On the 32F746G-DISCO, as mcu/board/stm32f746 switches them on; LPENR stays as it was reset."""

OVER_DRIVE_ABOVE_HZ = 180_000_000


def firmware_setting(clock_hz: int) -> Conditions:
    """Buses, voltage scale and peripherals of the firmware at `clock_hz` (mcu/board/stm32f746/clock.c)."""
    fast = clock_hz > OVER_DRIVE_ABOVE_HZ
    return Conditions(
        clock_hz,
        _bus_hz(clock_hz, 54_000_000 if fast else 45_000_000),
        _bus_hz(clock_hz, 108_000_000 if fast else 90_000_000),
        lowest_scale(clock_hz),
        PERIPHERALS,
        PERIPHERALS,
    )


def nominal_usage(clock_hz: int, run_s: float, sleep_s: float) -> Usage:
    """What a trace would have counted, at the nominal IPC."""
    run_cycles = run_s * clock_hz
    counts = Counts(
        run_ticks=round(run_cycles * TICKS_PER_CYCLE),
        sleep_ticks=round(sleep_s * clock_hz * TICKS_PER_CYCLE),
        instructions=round(run_cycles * NOMINAL_IPC.value),
    )
    return {firmware_setting(clock_hz): counts}


def _bus_hz(clock_hz: int, limit_hz: int) -> int:
    """The APB prescaler halves until the bus is within its limit."""
    while clock_hz > limit_hz:
        clock_hz //= 2
    return clock_hz
