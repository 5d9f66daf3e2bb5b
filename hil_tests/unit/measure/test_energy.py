"""Energy comes from the data sheet or not at all."""

from __future__ import annotations

import pytest

from hil.link import RADIOS, parse_radio
from hil.measure.energy import Activity, energy_model


def test_at_a_clock_of_the_data_sheet_its_currents_are_used():
    model = energy_model(216e6, RADIOS["none"])
    assert model is not None
    energy = model.energy(Activity(active_s=0.010, wait_s=0.005))
    assert energy.cpu == pytest.approx(90 * 3.3 * 0.010)
    assert energy.idle == pytest.approx(24 * 3.3 * 0.005)
    assert energy.radio == 0
    assert energy.total == pytest.approx(energy.cpu + energy.idle)


def test_between_two_clocks_currents_are_interpolated():
    model = energy_model(102e6, RADIOS["none"])
    assert model is not None
    assert model.run_ma == pytest.approx((23 + 51) / 2)
    assert model.sleep_ma == pytest.approx(10)


def test_the_radio_idles_while_it_neither_sends_nor_receives():
    model = energy_model(216e6, RADIOS["wifi-6m"])
    assert model is not None
    energy = model.energy(Activity(0.0, wait_s=0.010, tx_s=0.004, rx_s=0.001))
    assert energy.radio == pytest.approx(3.3 * (145 * 0.004 + 56 * 0.001 + 70 * 0.005))


def test_airtime_beyond_the_wait_is_not_counted():
    model = energy_model(216e6, RADIOS["ble-270k"])
    assert model is not None
    assert model.energy(Activity(0.0, 0.1, tx_s=9.0, rx_s=9.0)).radio == pytest.approx(3.0 * 6.4 * 0.1)


@pytest.mark.parametrize("clock_hz", [24e6, 217e6, 480e6])
def test_outside_the_data_sheets_clocks_nothing_is_modelled(clock_hz):
    assert energy_model(clock_hz, RADIOS["none"]) is None


def test_a_radio_of_unknown_current_is_not_modelled():
    assert energy_model(216e6, parse_radio("custom:bandwidth=1M")) is None
