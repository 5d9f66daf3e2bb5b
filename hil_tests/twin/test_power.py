"""What the twin counts for the power model, as firmware changes clocks, peripherals and sleep."""

from __future__ import annotations

import pytest

from hil.deploy.build import prepare_toolchain
from hil.measure.power.account import mcu_energy
from hil.measure.power.chip import STM32F746
from hil.measure.power.conditions import State, since
from hil.twin import ResetCause
from hil.twin.power.reference import measure
from hil_tests.twin.conftest import Boot
from hil_tests.twin.firmware import CLOCK_216_MHZ

pytestmark = pytest.mark.twin

LOOP = "for (volatile int i = 0; i < 20000; i++) {}"
ASLEEP = CLOCK_216_MHZ + "void main(void) { clock_216(); for (;;) WFI(); }"
AWAKE = CLOCK_216_MHZ + "void main(void) { clock_216(); for (;;) {} }"
WORK = (
    CLOCK_216_MHZ
    + """
    void systick(void) { out[0]++; }
    void main(void) {
        clock_216();
        SYST_RVR = 21600 - 1; SYST_CVR = 0; SYST_CSR = 7;
        for (;;) { for (volatile int i = 0; i < 1000; i++) {} RCC_APB2ENR ^= 1 << 4; WFI(); }
    }
"""
)


def over(boot: Boot, source: str, **options: object):
    """The energy of 1 ms, from 1 ms after the start."""
    twin = boot(source, **options)
    twin.run(0.001)
    before = twin.power.usage()
    twin.run(0.002)
    energy = mcu_energy(since(twin.power.usage(), before))
    assert energy is not None
    return energy


def test_sleep_is_cheaper_than_running(boot: Boot) -> None:
    asleep, awake = over(boot, ASLEEP), over(boot, AWAKE)
    assert asleep.run_s == 0
    assert awake.sleep_s == 0
    assert asleep.seconds == pytest.approx(awake.seconds, rel=1e-4)
    assert asleep.total < 0.5 * awake.total


def test_every_femtosecond_and_instruction_is_in_some_setting(boot: Boot) -> None:
    twin = boot(WORK)
    twin.run(0.01)
    usage = twin.power.usage()
    assert sum(counts.instructions for counts in usage.values()) == twin.instructions
    seconds = sum(
        (counts.run_ticks + counts.sleep_ticks) / (100 * setting.hclk_hz) for setting, counts in usage.items()
    )
    assert seconds == pytest.approx(twin.now_s, rel=1e-9)
    assert {setting.hclk_hz for setting in usage} == {16_000_000, 216_000_000}


def test_a_peripheral_whose_clock_is_on_costs(boot: Boot) -> None:
    on = CLOCK_216_MHZ + "void main(void) { clock_216(); RCC_APB2ENR |= 1 << 4; for (;;) WFI(); }"
    without, with_usart = over(boot, ASLEEP), over(boot, on)
    assert with_usart.peripherals - without.peripherals == pytest.approx(12.4e-3 * 108 * 3.3e-3, rel=1e-3)


def test_the_low_power_enables_take_a_peripherals_clock_away_in_sleep(boot: Boot) -> None:
    source = """
        void main(void) {{ clock_216(); RCC_APB2ENR |= 1 << 4; REG(0x40023864) &= ~(1u << 4); {} }}
    """
    gated = over(boot, CLOCK_216_MHZ + source.format("for (;;) WFI();"))
    awake = over(boot, CLOCK_216_MHZ + source.format("for (;;) {}"))
    assert gated.peripherals_sleep == 0
    assert awake.peripherals_run > 0


def test_a_change_of_the_clock_divides_the_time(boot: Boot) -> None:
    source = CLOCK_216_MHZ + f"void main(void) {{ {LOOP} clock_216(); {LOOP} for (;;) WFI(); }}"
    twin = boot(source)
    twin.run(0.02)
    by_clock: dict[int, int] = {}
    for setting, counts in twin.power.usage().items():
        by_clock[setting.hclk_hz] = by_clock.get(setting.hclk_hz, 0) + counts.instructions
    assert by_clock[16_000_000] == pytest.approx(by_clock[216_000_000], rel=0.01)


def test_without_the_pll_the_regulator_is_in_scale_3_and_then_as_vos_says(boot: Boot) -> None:
    source = (
        CLOCK_216_MHZ
        + f"""
        void main(void) {{ {LOOP} RCC_APB1ENR |= 1 << 28; PWR_CR1 = 2 << 14; {LOOP}
            RCC_CR |= 1 << 24; {LOOP} PWR_CR1 = 3 << 14; {LOOP} for (;;) WFI(); }}
    """
    )
    twin = boot(source)
    twin.run(0.1)
    scales = [setting.scale for setting, counts in twin.power.usage().items() if counts.instructions > 10_000]
    assert scales == [3, 3, 2, 1]


def test_the_bits_of_pwr_say_where_a_deep_sleep_leads(boot: Boot) -> None:
    source = f"""
        void main(void) {{ RCC_APB1ENR |= 1 << 28; {LOOP} PWR_CR1 = 3 << 14 | 3 << 18 | 1 << 10 | 1; {LOOP}
            PWR_CR1 = 3 << 14 | 1 << 1; {LOOP} for (;;) WFI(); }}
    """
    twin = boot(source)
    twin.run(0.1)
    deep = [setting.deep for setting, counts in twin.power.usage().items() if counts.instructions > 10_000]
    assert deep == [State.STOP, State.STOP_UNDER_DRIVE, State.STANDBY]


def test_a_window_may_be_cut_anywhere(boot: Boot) -> None:
    whole, cut = boot(WORK), boot(WORK)
    whole.run(0.01)
    for step in range(1, 101):
        cut.run(step * 0.0001)
        cut.power.settle()
    assert cut.power.usage() == whole.power.usage()


def test_two_runs_count_the_same_to_the_last_instruction(boot: Boot) -> None:
    one, other = boot(WORK, timing="cycles"), boot(WORK, timing="cycles")
    for twin in (one, other):
        twin.run(0.01)
    assert one.power.usage() == other.power.usage()


def test_the_python_hook_counts_what_the_native_one_does(boot: Boot) -> None:
    native, python = boot(WORK), boot(WORK, native=False)
    for twin in (native, python):
        twin.run(0.005)
    assert native.power.usage() == python.power.usage()


def test_a_reset_goes_on_counting_at_the_clock_after_reset(boot: Boot) -> None:
    twin = boot(ASLEEP)
    twin.run(0.001)
    before = twin.power.usage()
    twin.reset(ResetCause.PIN)
    twin.run(twin.now_s + 1e-6)
    window = since(twin.power.usage(), before)
    assert {setting.hclk_hz for setting in window} == {16_000_000}
    assert not any("PWR" in setting.running for setting in window)


def test_the_reference_code_has_the_ipc_that_pins_the_model(tmp_path) -> None:
    ipc = measure(prepare_toolchain().compiler.path, tmp_path)
    assert ipc.caches_on == pytest.approx(STM32F746.reference_ipc.value, abs=0.3)
    assert ipc.caches_off == pytest.approx(STM32F746.stalled_ipc.value, abs=0.1)
