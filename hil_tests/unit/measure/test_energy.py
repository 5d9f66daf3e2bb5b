"""The energy of an inference: microcontroller and radio on one timeline, or nothing at all."""

from __future__ import annotations

import pytest

from hil.link import RADIOS, parse_radio
from hil.measure.energy import Activity, energy_model
from hil.measure.power import current
from hil.measure.power.conditions import Conditions, Counts
from hil.measure.power.nominal import NOMINAL_IPC
from hil.measure.power.radio import RadioUse, radio_energy

HZ = 216_000_000


def model_with(radio: str, clock_hz: float = HZ):
    model = energy_model(clock_hz, parse_radio(radio))
    assert model is not None
    return model


def test_without_counts_the_core_runs_at_the_nominal_ipc_and_sleeps_while_it_waits():
    energy = model_with("none").energy(Activity({"graph": 0.008, "fuse": 0.002}, wait_s=0.005))
    run_ma = current.run_ma(HZ, NOMINAL_IPC.value)
    assert energy.parts.cpu == pytest.approx(run_ma * 3.3 * 0.010)
    assert energy.parts.idle == pytest.approx(current.sleep_ma(HZ) * 3.3 * 0.005)
    assert energy.parts.radio == 0
    assert energy.parts.peripherals > 0
    assert energy.detail.ipc == pytest.approx(NOMINAL_IPC.value)
    assert energy.detail.window_ms == pytest.approx(15)


def test_the_parts_the_states_and_the_total_are_the_same_energy():
    energy = model_with("wifi-6m").energy(Activity({"graph": 0.01}, 0.02, 0.004, 0.001, 2, 1))
    assert sum(energy.detail.by_state.values()) == pytest.approx(energy.parts.total)
    assert sum(energy.detail.by_stage.values()) == pytest.approx(energy.parts.cpu)


def test_counts_of_the_board_replace_the_nominal_ones():
    setting = Conditions(HZ, 54_000_000, 108_000_000, 1)
    counts = Counts(run_ticks=HZ * 2, sleep_ticks=HZ, instructions=HZ // 100)
    energy = model_with("none").energy(Activity({"graph": 0.015}, wait_s=0.01), {setting: counts})
    assert energy.detail.ipc == pytest.approx(0.5)
    assert energy.parts.cpu == pytest.approx(current.run_ma(HZ, 0.5) * 3.3 * 0.02)
    assert energy.parts.peripherals == 0
    assert energy.detail.by_stage["graph"] == pytest.approx(0.75 * energy.parts.cpu)
    assert energy.detail.by_stage["other"] == pytest.approx(0.25 * energy.parts.cpu)


def test_counts_at_a_clock_outside_the_table_give_no_energy():
    setting = Conditions(16_000_000, 16_000_000, 16_000_000, 3)
    assert model_with("none").energy(Activity({"graph": 0.1}), {setting: Counts(run_ticks=5)}) is None


def test_the_radio_sleeps_before_and_after_the_wait_and_idles_within_it():
    energy = model_with("wifi-6m").energy(Activity({"graph": 0.02}, wait_s=0.010, tx_s=0.004, rx_s=0.001))
    expected_mj = 3.3 * (145 * 0.004 + 56 * 0.001 + 70 * 0.005 + 15 * 0.02)
    assert energy.parts.radio == pytest.approx(expected_mj)


def test_each_packet_costs_a_ramp_at_the_current_of_its_direction():
    currents = RADIOS["ble-270k"].currents
    still = radio_energy(currents, RadioUse(1.0, 0.5, 0.1, 0.05))
    ramped = radio_energy(currents, RadioUse(1.0, 0.5, 0.1, 0.05, tx_packets=3, rx_packets=2))
    assert ramped.tx - still.tx == pytest.approx(3 * 40e-6 * 6.4 * 3.0)
    assert ramped.rx - still.rx == pytest.approx(2 * 40e-6 * 6.26 * 3.0)
    assert ramped.idle < still.idle


def test_airtime_beyond_the_wait_is_not_counted():
    energy = radio_energy(RADIOS["ble-270k"].currents, RadioUse(0.1, wait_s=0.1, tx_s=9.0, rx_s=9.0))
    assert energy.total == pytest.approx(3.0 * 6.4 * 0.1)


def test_a_custom_radio_is_off_outside_the_wait_unless_told_otherwise():
    text = "custom:bandwidth=1M,tx=100,rx=50,idle=10"
    off, asleep = (parse_radio(radio).currents for radio in (text, f"{text},sleep=2mA"))
    assert radio_energy(off, RadioUse(1.0)).total == 0
    assert radio_energy(asleep, RadioUse(1.0)).sleep == pytest.approx(2 * 3.3)


@pytest.mark.parametrize("clock_hz", [24e6, 217e6, 480e6])
def test_outside_the_data_sheets_clocks_nothing_is_modelled(clock_hz):
    assert energy_model(clock_hz, RADIOS["none"]) is None


def test_a_radio_of_unknown_current_is_not_modelled():
    assert energy_model(216e6, parse_radio("custom:bandwidth=1M")) is None
