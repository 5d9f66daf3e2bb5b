"""What one inference costs the device, from data sheets: every figure here is `modelled`.

The CPU's currents are those of the STM32F722/F723 data sheet (typical, 25 °C, run from flash with
L1 caches, peripherals off): the F746's sibling, since the F746's own table was not found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hil.link.radio import Currents, Radio
from hil.session.events import EnergyParts

CPU_VOLTS = 3.3

_CLOCK_MHZ = (25.0, 60.0, 144.0, 168.0, 180.0, 200.0, 216.0)
_RUN_MA = (11.0, 23.0, 51.0, 66.0, 74.0, 84.0, 90.0)
_SLEEP_MA = (5.0, 7.0, 13.0, 17.0, 19.0, 22.0, 24.0)


@dataclass(frozen=True)
class Activity:
    """What the device did during one inference, in seconds."""

    active_s: float
    """The core computed: local half and fusion."""
    wait_s: float
    """The core slept, waiting for the reply."""
    tx_s: float = 0.0
    """The radio sent."""
    rx_s: float = 0.0
    """The radio received."""


@dataclass(frozen=True)
class EnergyModel:
    """Currents in milliamperes that turn an `Activity` into millijoules."""

    run_ma: float
    sleep_ma: float
    radio: Currents | None
    """None: there is no radio, and it draws nothing."""

    def energy(self, activity: Activity) -> EnergyParts:
        """Millijoules: mA · V · s. Airtime counts as far as it lies within the wait."""
        tx_s = min(activity.tx_s, activity.wait_s)
        rx_s = min(activity.rx_s, activity.wait_s - tx_s)
        return EnergyParts(
            cpu=self.run_ma * CPU_VOLTS * activity.active_s,
            radio=self._radio_mj(tx_s, rx_s, activity.wait_s - tx_s - rx_s),
            idle=self.sleep_ma * CPU_VOLTS * activity.wait_s,
        )

    def _radio_mj(self, tx_s: float, rx_s: float, idle_s: float) -> float:
        if self.radio is None:
            return 0.0
        charge_mas = self.radio.tx_ma * tx_s + self.radio.rx_ma * rx_s + self.radio.idle_ma * idle_s
        return charge_mas * self.radio.supply_volts


def energy_model(clock_hz: float, radio: Radio) -> EnergyModel | None:
    """The model for a core at `clock_hz` with `radio`.

    None when the clock lies outside the data sheet's table or the radio's currents are unknown:
    what nothing models is not made up.
    """
    clock_mhz = clock_hz / 1e6
    if not _CLOCK_MHZ[0] <= clock_mhz <= _CLOCK_MHZ[-1]:
        return None
    if radio.currents is None and not radio.instant:
        return None
    return EnergyModel(
        run_ma=float(np.interp(clock_mhz, _CLOCK_MHZ, _RUN_MA)),
        sleep_ma=float(np.interp(clock_mhz, _CLOCK_MHZ, _SLEEP_MA)),
        radio=radio.currents,
    )
