"""The power model: it reproduces what it was made from, and grows with what should make it grow."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.measure.power import current
from hil.measure.power.account import mcu_energy
from hil.measure.power.chip import STM32F722, STM32F746, SUPPLY_VOLTS
from hil.measure.power.conditions import Conditions, Counts, State, since
from hil.measure.power.nominal import firmware_setting, nominal_usage
from hil.measure.power.peripherals import LISTED, UNLISTED
from hil.measure.power.published import points
from hil.twin.power.gates import GATES

MHZ = 1_000_000
FAST = Conditions(216 * MHZ, 54 * MHZ, 108 * MHZ, 1)
CLOCKS = st.integers(25 * MHZ, 216 * MHZ)
IPCS = st.floats(0, 2)
TICKS = st.integers(0, 10**13)
SETTINGS = st.builds(
    Conditions,
    CLOCKS,
    st.integers(1, 54 * MHZ),
    st.integers(1, 108 * MHZ),
    st.integers(1, 3),
    st.lists(st.sampled_from(sorted(LISTED)), unique=True).map(tuple),
)
COUNTS = st.builds(Counts, TICKS, TICKS, st.integers(0, 10**16), TICKS)


def test_every_figure_that_the_model_is_made_from_is_reproduced():
    made_from = [point for point in points() if point.pins]
    assert len(made_from) == 16
    for point in made_from:
        assert point.model == pytest.approx(point.published, rel=1e-12), point.name


def test_the_siblings_own_table_confirms_the_core_voltages():
    steps = [point for point in points() if point.unit == "ratio"]
    assert [abs(point.error) < 0.005 for point in steps] == [True, True]


@given(CLOCKS, CLOCKS, IPCS)
def test_a_faster_clock_draws_more(one, other, ipc):
    slow, fast = sorted((one, other))
    assert current.run_ma(slow, ipc) <= current.run_ma(fast, ipc)
    assert current.sleep_ma(slow) <= current.sleep_ma(fast)


@given(CLOCKS, IPCS, IPCS)
def test_a_busier_core_draws_more(clock, one, other):
    idle, busy = sorted((one, other))
    assert current.run_ma(clock, idle) <= current.run_ma(clock, busy)


@given(CLOCKS, st.integers(1, 3))
def test_even_a_stalled_core_draws_more_than_a_sleeping_one(clock, scale):
    assert current.stalled_ma(clock, scale) > current.sleep_ma(clock, scale)
    assert current.sleep_ma(clock, scale) > current.deep_ma(State.STOP) > current.deep_ma(State.STANDBY)


@given(SETTINGS, st.sampled_from(sorted(LISTED)))
def test_a_peripheral_that_is_clocked_draws_current_by_its_bus(setting, name):
    without = replace(setting, running=tuple(other for other in setting.running if other != name))
    on = replace(without, running=(*without.running, name))
    assert current.peripherals_ma(on) > current.peripherals_ma(without)
    assert current.peripherals_ma(on, asleep=True) == 0


def test_a_usart_costs_what_the_list_says_for_its_bus():
    on = replace(FAST, running=("USART1",))
    assert current.peripherals_ma(on) == pytest.approx(12.4 * 108 / 1000)
    on = replace(FAST, running=("USART3",))
    assert current.peripherals_ma(on) == pytest.approx(12.4 * 54 / 1000)


def test_a_higher_voltage_scale_costs_in_proportion():
    assert current.run_ma(144 * MHZ, 1.0, 1) / current.run_ma(144 * MHZ, 1.0, 3) == pytest.approx(1.32 / 1.14)


def test_every_peripheral_that_rcc_clocks_is_listed_or_named_as_unlisted():
    gated = {name for bits in GATES.values() for name in bits.values()}
    assert gated == set(LISTED) | set(UNLISTED)
    assert not set(LISTED) & set(UNLISTED)


def test_every_coefficient_names_its_source():
    for chip in (STM32F722, STM32F746):
        entries = [*chip.run_ma, *chip.sleep_ma, chip.stalled_ma, chip.reference_ipc, chip.stalled_ipc]
        entries += [chip.stop_ma, chip.stop_under_drive_ma, chip.standby_ma]
        assert all(entry.source and entry.unit for entry in entries)
    assert all(entry.source for _, entry in LISTED.values())


def test_the_current_of_a_state_is_that_of_core_and_peripherals():
    on = replace(FAST, running=("DMA2",), sleeping=("DMA2",))
    assert current.current_ma(State.RUN, on, 1.0) == current.run_ma(
        216 * MHZ, 1.0, 1
    ) + current.peripherals_ma(on)
    assert current.current_ma(State.SLEEP, on) > current.current_ma(State.SLEEP, FAST)
    assert current.current_ma(State.STOP, on) == 0.45
    with pytest.raises(ValueError, match="outside"):
        current.current_ma(State.RUN, replace(FAST, hclk_hz=16 * MHZ), 1.0)


@given(SETTINGS, COUNTS, st.floats(0, 1))
def test_a_window_costs_what_its_pieces_cost_wherever_it_is_cut(setting, whole, share):
    first = Counts(*(int(getattr(whole, name) * share) for name in Counts.__dataclass_fields__))
    pieces = [mcu_energy({setting: first}), mcu_energy({setting: whole - first})]
    together = mcu_energy({setting: whole})
    assert pieces[0].total + pieces[1].total == pytest.approx(together.total, rel=1e-9, abs=1e-12)
    assert pieces[0].peripherals + pieces[1].peripherals == pytest.approx(together.peripherals, rel=1e-9)


@given(st.dictionaries(SETTINGS, COUNTS, max_size=4), st.dictionaries(SETTINGS, COUNTS, max_size=4))
def test_the_window_between_two_usages_is_what_came_in_between(before, between):
    after = {key: before.get(key, Counts()) + between.get(key, Counts()) for key in before | between}
    assert since(after, before) == {key: counts for key, counts in between.items() if counts != Counts()}


def test_energy_is_current_times_volts_times_time():
    second = {FAST: Counts(run_ticks=216 * MHZ * 100, instructions=216 * MHZ)}
    energy = mcu_energy(second)
    assert energy.total == pytest.approx(current.run_ma(216 * MHZ, 1.0, 1) * SUPPLY_VOLTS)
    assert (energy.ipc, energy.seconds) == (1.0, 1.0)


def test_time_at_a_clock_outside_the_table_has_no_energy():
    slow = replace(FAST, hclk_hz=16 * MHZ)
    assert mcu_energy({FAST: Counts(run_ticks=1), slow: Counts(sleep_ticks=1)}) is None
    assert mcu_energy({slow: Counts(stop_fs=10**15)}).total == pytest.approx(0.45 * 3.3), "no clock runs"


@pytest.mark.parametrize(
    ("mhz", "buses", "scale"),
    [(216, (54, 108), 1), (180, (45, 90), 1), (144, (36, 72), 3), (60, (30, 60), 3)],
)
def test_the_nominal_setting_is_what_the_firmware_sets_up(mhz, buses, scale):
    setting = firmware_setting(mhz * MHZ)
    assert (setting.pclk1_hz, setting.pclk2_hz) == tuple(bus * MHZ for bus in buses)
    assert setting.scale == scale


def test_a_nominal_usage_lasts_as_long_as_was_said():
    energy = mcu_energy(nominal_usage(216 * MHZ, run_s=0.01, sleep_s=0.03))
    assert (energy.run_s, energy.sleep_s) == pytest.approx((0.01, 0.03))
    assert energy.sleep / 0.03 < energy.run / 0.01
