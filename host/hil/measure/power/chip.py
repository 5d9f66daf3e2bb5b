"""Coefficients of the STM32F746 and of its sibling, whose data sheet the shape comes from.

D: STM32F722/F723 data sheet, typical, 25 °C, 3.3 V. Its table numbers were not at hand.
P: STMicroelectronics/STM32_open_pin_data, mcu/STM32F746ZGTx.xml, `<Current Lowest="1.7" Run="472"/>`;
   the file names no units, but 472 µA/MHz × 216 MHz = 102 mA is what the part is sold with.
T: the twin's cycle model on the code of twin/power/reference.py (`tools/power`).
"""

from __future__ import annotations

from dataclasses import dataclass

from hil.measure.power.coefficient import Coefficient

_D = "D: STM32F722/F723 data sheet, run from flash with L1 caches, peripherals off, typical at 25 °C"
_P = "P: STM32_open_pin_data, STM32F746ZGTx.xml, Current"
_SHEET_MHZ = (25.0, 60.0, 144.0, 168.0, 180.0, 200.0, 216.0)

CORE_VOLTS = {1: 1.32, 2: 1.26, 3: 1.14}
"""V12 by voltage scale, typical, from memory. The sibling's mA/MHz step by 1.109 from 144 to 168 MHz and
by 1.047 from 168 to 180; these voltages step by 1.105 and 1.048."""

SCALE_LIMITS_HZ = ((3, 144_000_000), (2, 168_000_000), (1, 216_000_000))
"""The highest HCLK of each scale; scale 1 beyond 180 MHz with over-drive (RM0385 4.1.4)."""

SUPPLY_VOLTS = 3.3


@dataclass(frozen=True)
class Chip:
    """What one kind of chip draws at `SUPPLY_VOLTS`. The regulator is linear: the current of the core
    is the current of the supply, whatever the supply's voltage."""

    name: str
    clocks_mhz: tuple[float, ...]
    run_ma: tuple[Coefficient, ...]
    """At `reference_ipc` and the lowest voltage scale that allows the clock."""
    sleep_ma: tuple[Coefficient, ...]
    stalled_ma: Coefficient
    """At the highest clock with the caches off."""
    reference_ipc: Coefficient
    """Instructions a cycle of the code that `run_ma` was measured with."""
    stalled_ipc: Coefficient
    """The same with caches off."""
    stop_ma: Coefficient
    stop_under_drive_ma: Coefficient
    standby_ma: Coefficient

    @property
    def awake_share(self) -> float:
        """Of what waking adds to the current of sleep: the part that does not depend on IPC.

        Two points, caches on and off, of sleep + awake · (share + (1 - share) · ipc / reference_ipc).
        """
        awake = (self.stalled_ma.value - self.sleep_ma[-1].value) / (
            self.run_ma[-1].value - self.sleep_ma[-1].value
        )
        ratio = self.stalled_ipc.value / self.reference_ipc.value
        return (awake - ratio) / (1 - ratio)


def _milliamperes(*values: float) -> tuple[Coefficient, ...]:
    return tuple(Coefficient(value, "mA", _D) for value in values)


STM32F722 = Chip(
    "STM32F722",
    _SHEET_MHZ,
    _milliamperes(11, 23, 51, 66, 74, 84, 90),
    _milliamperes(5, 7, 13, 17, 19, 22, 24),
    Coefficient(73.3, "mA", "D: 216 MHz, run from flash, caches off"),
    Coefficient(0.872, "instructions per cycle", "T: caches on; the data sheet does not give its code", 0.3),
    Coefficient(0.206, "instructions per cycle", "T: caches off", 0.1),
    Coefficient(0.45, "mA", "D: the upper end of its Stop currents"),
    Coefficient(0.10, "mA", "D: the lower end of its Stop currents"),
    Coefficient(0.0014, "mA", "D: the lower end of its Standby currents, 1.4 to 3.5 µA", 0.0021),
)

DIE = Coefficient(
    0.472 * 216 / 90,
    "F746 / F722",
    f"{_P} Run: 472 µA/MHz at 216 MHz against the sibling's 90 mA; assumed for every clock and for sleep",
    0.07,
)


def _larger(entries: tuple[Coefficient, ...]) -> tuple[Coefficient, ...]:
    return tuple(
        Coefficient(entry.value * DIE.value, entry.unit, f"{entry.source}; times DIE", entry.value * 0.07)
        for entry in entries
    )


STM32F746 = Chip(
    "STM32F746",
    _SHEET_MHZ,
    _larger(STM32F722.run_ma),
    _larger(STM32F722.sleep_ma),
    _larger((STM32F722.stalled_ma,))[0],
    STM32F722.reference_ipc,
    STM32F722.stalled_ipc,
    STM32F722.stop_ma,
    STM32F722.stop_under_drive_ma,
    Coefficient(0.0017, "mA", f"{_P} Lowest: 1.7 µA"),
)
