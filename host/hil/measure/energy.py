"""What one inference costs the device by the power model (docs/power.md): every figure is `modelled`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hil.link.radio import Radio
from hil.measure.power.account import McuEnergy, mcu_energy
from hil.measure.power.conditions import Usage
from hil.measure.power.current import covers
from hil.measure.power.nominal import nominal_usage
from hil.measure.power.radio import RadioEnergy, RadioUse, radio_energy
from hil.session.events import EnergyDetail, EnergyParts


@dataclass(frozen=True)
class Activity:
    """What the device did during one inference, in seconds."""

    stages_s: Mapping[str, float] = field(default_factory=dict)
    """The stages in which the core computed, by name."""
    wait_s: float = 0.0
    """The core waited for the reply."""
    tx_s: float = 0.0
    """The radio sent."""
    rx_s: float = 0.0
    """The radio received."""
    tx_packets: int = 0
    """Tries included."""
    rx_packets: int = 0
    overlap_s: float = 0.0
    """Of the exchange with the stages: the radio is up while the core still computes."""

    @property
    def active_s(self) -> float:
        return sum(self.stages_s.values())

    @property
    def exchange_s(self) -> float:
        """From the payload's first bit to the reply's last."""
        return self.overlap_s + self.wait_s


@dataclass(frozen=True)
class Energy:
    """The energy of one inference: its parts, which add up, and the same by other measures."""

    parts: EnergyParts
    detail: EnergyDetail


@dataclass(frozen=True)
class EnergyModel:
    """The power model at one clock with one radio."""

    clock_hz: int
    radio: Radio

    def energy(self, activity: Activity, usage: Usage | None = None) -> Energy | None:
        """The energy of an inference.

        `usage` is what the twin counted from the start of the run to its result. Without it the core is
        taken to run at the nominal IPC in every stage and to sleep while it waits. None when the core
        was clocked outside the table meanwhile.
        """
        if usage is None:
            usage = nominal_usage(self.clock_hz, activity.active_s, activity.wait_s)
        mcu = mcu_energy(usage)
        if mcu is None:
            return None
        window_s = max(mcu.seconds, activity.exchange_s)
        radio = radio_energy(
            self.radio.currents,
            RadioUse(
                window_s,
                activity.exchange_s,
                activity.tx_s,
                activity.rx_s,
                activity.tx_packets,
                activity.rx_packets,
            ),
        )
        parts = EnergyParts(mcu.run, radio.total, mcu.sleep + mcu.stop, mcu.peripherals)
        stages = by_stage(activity.stages_s, mcu)
        return Energy(parts, EnergyDetail(by_state(mcu, radio), stages, mcu.ipc, 1000 * window_s))


def by_state(mcu: McuEnergy, radio: RadioEnergy) -> dict[str, float]:
    """Millijoules by what microcontroller and radio did; peripherals are in the states of the core."""
    return {
        "run": mcu.run + mcu.peripherals_run,
        "sleep": mcu.sleep + mcu.peripherals_sleep,
        "stop": mcu.stop,
        "radio_tx": radio.tx,
        "radio_rx": radio.rx,
        "radio_idle": radio.idle,
        "radio_sleep": radio.sleep,
    }


def by_stage(stages_s: Mapping[str, float], mcu: McuEnergy) -> dict[str, float]:
    """The awake core's millijoules by stage, in the stages' share of its time; `other` is the protocol."""
    awake_s = max(mcu.run_s, sum(stages_s.values()))
    if awake_s <= 0:
        return {**dict.fromkeys(stages_s, 0.0), "other": 0.0}
    shares = {name: mcu.run * seconds / awake_s for name, seconds in stages_s.items()}
    return {**shares, "other": mcu.run - sum(shares.values())}


def energy_model(clock_hz: float, radio: Radio) -> EnergyModel | None:
    """The model for a core at `clock_hz` with `radio`.

    None when the clock lies outside the data sheet's table or the radio's currents are unknown:
    what nothing models is not made up.
    """
    if not covers(clock_hz) or (radio.currents is None and not radio.instant):
        return None
    return EnergyModel(round(clock_hz), radio)
