"""The radio on the timeline of one inference: asleep, ramping up, sending, receiving, listening."""

from __future__ import annotations

from dataclasses import dataclass

from hil.link.radio import Currents


@dataclass(frozen=True)
class RadioUse:
    """What the link did in a window, in seconds."""

    window_s: float
    wait_s: float = 0.0
    """From the payload's start to the reply's end: the radio is up."""
    tx_s: float = 0.0
    rx_s: float = 0.0
    tx_packets: int = 0
    """Tries included: the transmitter ramps up for each."""
    rx_packets: int = 0


@dataclass(frozen=True)
class RadioEnergy:
    """Millijoules by state of the radio."""

    tx: float = 0.0
    """Sending, ramps included."""
    rx: float = 0.0
    idle: float = 0.0
    """Up, neither sending nor receiving."""
    sleep: float = 0.0

    @property
    def total(self) -> float:
        return self.tx + self.rx + self.idle + self.sleep


def radio_energy(currents: Currents | None, use: RadioUse) -> RadioEnergy:
    """mA · V · s. Airtime counts as far as it lies within the wait; None is no radio."""
    if currents is None:
        return RadioEnergy()
    left_s = use.wait_s
    spent_s = []
    for airtime_s, packets in ((use.tx_s, use.tx_packets), (use.rx_s, use.rx_packets)):
        spent_s.append(min(airtime_s + packets * currents.ramp_s, left_s))
        left_s -= spent_s[-1]
    volts = currents.supply_volts
    return RadioEnergy(
        tx=currents.tx_ma * spent_s[0] * volts,
        rx=currents.rx_ma * spent_s[1] * volts,
        idle=currents.idle_ma * left_s * volts,
        sleep=currents.sleep_ma * max(0.0, use.window_s - use.wait_s) * volts,
    )
