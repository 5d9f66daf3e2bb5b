"""What others have published of the same quantities, beside the model's figure."""

from __future__ import annotations

from dataclasses import dataclass

from hil.measure.power import current
from hil.measure.power.chip import STM32F722, STM32F746, SUPPLY_VOLTS, Chip
from hil.measure.power.nominal import NOMINAL_IPC

TOP_HZ = 216_000_000
COREMARK_PER_MHZ = 1082 / 216
"""ST AN4667: 1082 at 216 MHz."""


@dataclass(frozen=True)
class Point:
    """One published figure and the model's."""

    name: str
    unit: str
    published: float
    model: float
    source: str
    pins: bool
    """The model was made from it: agreement tests the program, not the model."""

    @property
    def error(self) -> float:
        """Of the model, as a share of the published figure."""
        return self.model / self.published - 1


def points() -> list[Point]:
    """All of them, those that pin the model first."""
    return [*_sheet(STM32F722), _caches_off(), _own_run(), *_steps(), _micronets(), *_coremark()]


def _sheet(chip: Chip) -> list[Point]:
    found = []
    for index, mhz in enumerate(chip.clocks_mhz):
        hz = round(mhz * 1e6)
        run, asleep = chip.run_ma[index], chip.sleep_ma[index]
        model_ma = current.run_ma(hz, chip.reference_ipc.value, None, chip)
        found.append(Point(f"{chip.name} run {mhz:g} MHz", "mA", run.value, model_ma, run.source, True))
        model_ma = current.sleep_ma(hz, None, chip)
        found.append(
            Point(f"{chip.name} sleep {mhz:g} MHz", "mA", asleep.value, model_ma, asleep.source, True)
        )
    return found


def _caches_off() -> Point:
    stalled = STM32F722.stalled_ma
    model_ma = current.run_ma(TOP_HZ, STM32F722.stalled_ipc.value, None, STM32F722)
    return Point("STM32F722 run 216 MHz, caches off", "mA", stalled.value, model_ma, stalled.source, True)


def _own_run() -> Point:
    source = "472 µA/MHz (P) × 216 MHz"
    return Point("STM32F746 run 216 MHz", "mA", 0.472 * 216, _reference_ma(TOP_HZ), source, True)


def _reference_ma(clock_hz: int, scale: int | None = None) -> float:
    return current.run_ma(clock_hz, STM32F746.reference_ipc.value, scale)


def _steps() -> list[Point]:
    """Where only the voltage scale changes, the sibling's mA/MHz should change by the ratio of voltages."""
    per_mhz = {
        mhz: entry.value / mhz for mhz, entry in zip(STM32F722.clocks_mhz, STM32F722.run_ma, strict=True)
    }
    source = "D, two clocks: mA/MHz; model: core voltages"
    ratio = _reference_ma(144_000_000, 2) / _reference_ma(144_000_000, 3)
    upper = _reference_ma(168_000_000, 1) / _reference_ma(168_000_000, 2)
    return [
        Point("scale 3 to 2 (144, 168 MHz)", "ratio", per_mhz[168.0] / per_mhz[144.0], ratio, source, False),
        Point("scale 2 to 1 (168, 180 MHz)", "ratio", per_mhz[180.0] / per_mhz[168.0], upper, source, False),
    ]


def _micronets() -> Point:
    model_w = current.run_ma(TOP_HZ, NOMINAL_IPC.value) * SUPPLY_VOLTS / 1000
    return Point("NUCLEO-F746ZG running networks", "W", 0.3, model_w, "MicroNets (one digit)", False)


def _coremark() -> list[Point]:
    """ST's claim for the series names no clock; the model's best one is where it could hold."""
    source = "7 CoreMark/mW at 1.8 V, ST's claim for the series, from memory"
    return [
        Point(
            f"CoreMark/mW at 1.8 V, {hz // 1_000_000} MHz",
            "1/mW",
            7.0,
            COREMARK_PER_MHZ * hz / 1e6 / (_reference_ma(hz) * 1.8),
            source,
            False,
        )
        for hz in (144_000_000, TOP_HZ)
    ]
