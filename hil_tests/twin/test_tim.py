"""The timers' registers: events, interrupts, preloads, outputs, inputs, and timers that drive timers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.twin.peripherals import rcc as r
from hil.twin.peripherals.tim_registers import (
    TIM_ARR,
    TIM_BDTR,
    TIM_BDTR_MOE,
    TIM_CCER,
    TIM_CCMR1,
    TIM_CCMR2,
    TIM_CCMR3,
    TIM_CCR1,
    TIM_CCR5,
    TIM_CNT,
    TIM_CR1,
    TIM_CR2,
    TIM_DIER,
    TIM_EGR,
    TIM_OR,
    TIM_PSC,
    TIM_RCR,
    TIM_SMCR,
    TIM_SR,
    TIMERS,
)
from hil_tests.twin.bench import Bench

CEN, UDIS, URS, OPM, DIR, ARPE, UIFREMAP = 1, 2, 4, 8, 16, 128, 1 << 11


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize("model", TIMERS, ids=lambda model: model.name)
def test_every_timer_counts_and_interrupts_on_its_own_line(bench: Bench, model) -> None:  # type: ignore[no-untyped-def]
    timer = bench.peripherals.timers[model.name]
    timer.write(TIM_ARR, 99)
    timer.write(TIM_PSC, 9)
    timer.write(TIM_EGR, 1)
    timer.write(TIM_SR, 0)
    timer.write(TIM_DIER, 1)
    timer.write(TIM_CR1, CEN)
    irq = next(irq for flags, irq in model.lines if flags & 1)
    bench.run(999)
    assert (timer.read(TIM_CNT), timer.read(TIM_SR) & 1, bench.pending(irq)) == (99, 0, False)
    bench.run(1)
    assert (timer.read(TIM_CNT), timer.read(TIM_SR) & 1, bench.pending(irq)) == (0, 1, True)


@pytest.mark.parametrize(
    ("number", "missing"),
    [
        (2, (TIM_RCR, TIM_BDTR, TIM_CCMR3, TIM_CCR5)),
        (6, (TIM_SMCR, TIM_CCMR1, TIM_CCER, TIM_CCR1, TIM_RCR, TIM_OR)),
        (9, (TIM_CR2, TIM_CCMR2, TIM_RCR, TIM_BDTR)),
        (10, (TIM_CR2, TIM_SMCR, TIM_CCMR2, TIM_CCR1 + 4)),
    ],
)
def test_registers_that_a_timer_lacks_read_zero(bench: Bench, number: int, missing: tuple[int, ...]) -> None:
    for offset in missing:
        bench.timer(number).write(offset, 0xFFFF_FFFF)
        assert bench.timer(number).read(offset) == 0, hex(offset)


def test_only_tim2_and_tim5_are_32_bits_wide(bench: Bench) -> None:
    for model in TIMERS:
        timer = bench.peripherals.timers[model.name]
        wide = model.name in ("TIM2", "TIM5")
        assert timer.read(TIM_ARR) == (0xFFFF_FFFF if wide else 0xFFFF)
        timer.write(TIM_CNT, 0x1234_5678)
        assert timer.read(TIM_CNT) == (0x1234_5678 if wide else 0x5678)


def test_shared_lines_stay_high_until_both_timers_are_quiet(bench: Bench) -> None:
    first, second = bench.timer(1), bench.timer(10)
    for timer in (first, second):
        timer.write(TIM_DIER, 1)
        timer.write(TIM_EGR, 1)
    bench.machine.nvic.unpend(16 + 25)
    first.write(TIM_SR, 0)
    bench.machine.nvic.enter(16 + 25)
    bench.machine.nvic.leave(16 + 25)
    assert bench.pending(25)
    second.write(TIM_SR, 0)
    bench.machine.nvic.enter(16 + 25)
    bench.machine.nvic.leave(16 + 25)
    assert not bench.pending(25)


def test_urs_keeps_software_updates_quiet_and_udis_holds_values_back(bench: Bench) -> None:
    timer = bench.timer(3)
    timer.write(TIM_CR1, URS)
    timer.write(TIM_PSC, 7)
    timer.write(TIM_EGR, 1)
    assert timer.read(TIM_SR) & 1 == 0
    assert timer.counter.prescaler == 7
    timer.write(TIM_CR1, UDIS)
    timer.write(TIM_PSC, 3)
    timer.write(TIM_CNT, 5)
    timer.write(TIM_EGR, 1)
    assert (timer.read(TIM_SR) & 1, timer.counter.prescaler, timer.read(TIM_CNT)) == (0, 7, 0)


def test_a_preloaded_period_waits_for_the_update_and_a_plain_one_does_not(bench: Bench) -> None:
    for control, after in ((CEN | ARPE, 10), (CEN, 0)):
        timer = bench.timer(4)
        timer.reset()
        timer.write(TIM_ARR, 99)
        timer.write(TIM_EGR, 1)
        timer.write(TIM_CR1, control)
        timer.write(TIM_ARR, 9)
        assert timer.read(TIM_ARR) == 9
        bench.run(10)
        assert timer.read(TIM_CNT) == after


def test_flags_are_cleared_by_zeros_only(bench: Bench) -> None:
    timer = bench.timer(2)
    timer.write(TIM_EGR, 0x1F)
    assert timer.read(TIM_SR) == 0x1F
    timer.write(TIM_SR, 0xFFFF_FFFD)
    assert timer.read(TIM_SR) == 0x1D
    timer.write(TIM_SR, 0xFFFF_FFFF)
    assert timer.read(TIM_SR) == 0x1D


def test_one_pulse_mode_stops_at_the_update(bench: Bench) -> None:
    timer = bench.timer(7)
    timer.write(TIM_ARR, 49)
    timer.write(TIM_CR1, CEN | OPM)
    bench.run(1000)
    assert (timer.read(TIM_CNT), timer.read(TIM_CR1) & CEN, timer.read(TIM_SR)) == (0, 0, 1)


def test_repetitions_thin_out_updates(bench: Bench) -> None:
    timer = bench.timer(8)
    timer.write(TIM_ARR, 9)
    timer.write(TIM_RCR, 4)
    timer.write(TIM_EGR, 1)
    timer.write(TIM_SR, 0)
    timer.write(TIM_DIER, 1)
    timer.write(TIM_CR1, CEN)
    bench.run(49)
    assert not bench.pending(44)
    bench.run(1)
    assert bench.pending(44)


def test_the_update_flag_shows_in_the_counter_with_uifremap(bench: Bench) -> None:
    timer = bench.timer(5)
    timer.write(TIM_CR1, UIFREMAP)
    timer.write(TIM_EGR, 1)
    assert timer.read(TIM_CNT) == 1 << 31
    timer.write(TIM_SR, 0)
    assert timer.read(TIM_CNT) == 0


def test_a_timer_without_interrupts_costs_nothing(bench: Bench) -> None:
    for model in TIMERS:
        timer = bench.peripherals.timers[model.name]
        timer.write(TIM_ARR, 3)
        timer.write(TIM_CR1, CEN)
    assert bench.idle
    bench.run(216_000_000 * 60 + 2)
    assert bench.timer(1).read(TIM_CNT) == 2
    assert bench.timer(1).read(TIM_SR) & 1


def test_clock_gate_and_reset_line_of_rcc_reach_the_timer(bench: Bench) -> None:
    timer, rcc = bench.timer(2), bench.peripherals.rcc
    timer.write(TIM_CR1, CEN)
    bench.run(100)
    rcc.write(r.RCC_APB1ENR, 0)
    bench.run(50)
    rcc.write(r.RCC_APB1ENR, 1)
    bench.run(10)
    assert bench.word(0x4000_0024) == 110
    rcc.write(r.RCC_APB1ENR - 0x20, 1)
    assert (timer.read(TIM_CNT), timer.read(TIM_CR1)) == (0, 0)


@pytest.mark.parametrize(("timpre", "counts"), [(0, 500), (1, 1000)])
def test_timers_run_at_twice_the_divided_bus_or_four_times(bench: Bench, timpre: int, counts: int) -> None:
    rcc = bench.peripherals.rcc
    rcc.write(r.RCC_DCKCFGR1, timpre << 24)
    rcc.write(r.RCC_CFGR, 5 << 10)  # PCLK1 is a quarter of HCLK
    timer = bench.timer(3)
    timer.write(TIM_CR1, CEN)
    bench.run(1000)
    assert timer.read(TIM_CNT) == counts


def test_a_halted_core_freezes_the_timers_that_dbgmcu_names(bench: Bench) -> None:
    bench.put(0xE004_2008, 1)  # TIM2
    bench.put(0xE004_200C, 1)  # TIM1
    for number in (1, 2, 3):
        bench.timer(number).write(TIM_CR1, CEN)
    bench.run(10)
    bench.machine.freeze.set_halted(True)
    bench.run(100)
    bench.machine.freeze.set_halted(False)
    bench.run(5)
    assert [bench.timer(number).read(TIM_CNT) for number in (1, 2, 3)] == [15, 15, 115]


def set_output(timer, channel: int, mode: int, value: int) -> None:  # type: ignore[no-untyped-def]
    """Output `channel`, from 1, in OCxM `mode`, active high."""
    register, shift = (TIM_CCMR1, TIM_CCMR2)[(channel - 1) // 2], 8 * ((channel - 1) & 1)
    field = ((mode & 7) << 4 | (mode & 8) << 13) << shift
    timer.write(register, timer.read(register) | field)
    timer.write(TIM_CCR1 + 4 * (channel - 1), value)
    timer.write(TIM_CCER, timer.read(TIM_CCER) | 1 << 4 * (channel - 1))


@pytest.mark.parametrize(("mode", "on"), [(6, 30), (7, 70)])
def test_pwm_is_on_for_its_share_of_the_period(bench: Bench, mode: int, on: int) -> None:
    timer = bench.timer(3)
    timer.write(TIM_ARR, 99)
    set_output(timer, 2, mode, 30)
    timer.write(TIM_EGR, 1)
    timer.write(TIM_CR1, CEN)
    levels = []
    for _ in range(200):
        levels.append(timer.output(2))
        bench.run(1)
    assert levels.count(True) == 2 * on
    assert timer.output(1) is None


def test_advanced_outputs_need_moe_and_a_break_takes_it(bench: Bench) -> None:
    timer = bench.timer(1)
    set_output(timer, 1, 5, 0)
    assert timer.output(1) is None
    timer.write(TIM_BDTR, TIM_BDTR_MOE | 1 << 12 | 1 << 13)  # BKE, active high
    timer.write(TIM_DIER, 1 << 7)
    assert timer.output(1) is True
    timer.drive("BKIN", True)
    assert (timer.output(1), timer.read(TIM_SR) & 1 << 7, bench.pending(24)) == (None, 1 << 7, True)


def test_a_lock_protects_dead_time_and_stays(bench: Bench) -> None:
    timer = bench.timer(8)
    timer.write(TIM_BDTR, 0x155)
    timer.write(TIM_BDTR, TIM_BDTR_MOE | 0x0AA)
    assert timer.read(TIM_BDTR) == TIM_BDTR_MOE | 0x155


def test_toggling_divides_by_two_however_late_one_looks(bench: Bench) -> None:
    timer = bench.timer(4)
    timer.write(TIM_ARR, 9)
    set_output(timer, 1, 3, 5)
    timer.write(TIM_SR, 0)
    timer.write(TIM_CR1, CEN)
    bench.run(10 * 1_000_001)
    assert timer.output(1) is True
    bench.run(10)
    assert timer.output(1) is False


def test_a_preloaded_compare_value_waits_for_the_update(bench: Bench) -> None:
    timer = bench.timer(2)
    timer.write(TIM_ARR, 99)
    timer.write(TIM_CCMR1, 1 << 3)
    timer.write(TIM_CCR1, 50)
    timer.write(TIM_EGR, 1)
    timer.write(TIM_CR1, CEN)
    timer.write(TIM_SR, 0)
    bench.run(10)
    timer.write(TIM_CCR1, 20)
    bench.run(30)
    assert timer.read(TIM_SR) & 2 == 0
    bench.run(10)
    assert timer.read(TIM_SR) & 2
    timer.write(TIM_SR, 0)
    bench.run(70)
    assert timer.read(TIM_SR) & 2


@pytest.mark.parametrize(("polarity", "captured"), [(0, [10, 30]), (2, [20, 40]), (0xA, [10, 20, 30, 40])])
def test_edges_are_captured_by_polarity(bench: Bench, polarity: int, captured: list[int]) -> None:
    timer = bench.timer(2)
    timer.write(TIM_CCMR1, 1)
    timer.write(TIM_CCER, 1 | polarity)
    timer.write(TIM_DIER, 2)
    timer.write(TIM_CR1, CEN)
    seen = []
    for level in (True, False, True, False):
        bench.run(10)
        timer.drive("CH1", level)
        if timer.read(TIM_SR) & 2:
            assert bench.pending(28)
            seen.append(timer.read(TIM_CCR1))
            assert timer.read(TIM_SR) & 2 == 0
    assert seen == captured


def test_a_capture_nobody_read_is_overwritten_and_told(bench: Bench) -> None:
    timer = bench.timer(9)
    timer.write(TIM_CCMR1, 1 | 2 << 8)  # both channels listen to TI1
    timer.write(TIM_CCER, 1 | 3 << 4)
    timer.write(TIM_CR1, CEN)
    for level in (True, False, True):
        bench.run(7)
        timer.drive("CH1", level)
    assert timer.read(TIM_SR) == 2 | 4 | 1 << 9
    assert (timer.read(TIM_CCR1), timer.read(TIM_CCR1 + 4)) == (21, 14)


def test_an_update_resets_another_timer_at_its_very_clock(bench: Bench) -> None:
    master, slave = bench.timer(3), bench.timer(2)
    master.write(TIM_ARR, 99)
    master.write(TIM_CR2, 2 << 4)
    slave.write(TIM_SMCR, 2 << 4 | 4)  # ITR2 is TIM3, reset
    slave.write(TIM_CR1, CEN)
    bench.run(7)
    master.write(TIM_CR1, CEN)
    bench.run(250)
    assert slave.read(TIM_CNT) == master.read(TIM_CNT) == 50
    assert slave.read(TIM_SR) & 1 << 6
    assert bench.idle


def test_an_enable_starts_and_stops_what_it_gates(bench: Bench) -> None:
    master, slave = bench.timer(1), bench.timer(4)
    master.write(TIM_CR2, 1 << 4)
    slave.write(TIM_SMCR, 0 << 4 | 5)  # ITR0 is TIM1, gated
    slave.write(TIM_CR1, CEN)
    bench.run(20)
    assert slave.read(TIM_CNT) == 0
    master.write(TIM_CR1, CEN)
    bench.run(20)
    master.write(TIM_CR1, 0)
    bench.run(20)
    assert slave.read(TIM_CNT) == 20


def test_a_trigger_starts_a_timer(bench: Bench) -> None:
    master, slave = bench.timer(2), bench.timer(5)
    master.write(TIM_CR2, 1 << 4)
    slave.write(TIM_DIER, 1 << 6)
    slave.write(TIM_SMCR, 0 << 4 | 6)  # ITR0 is TIM2
    master.write(TIM_CR1, CEN)
    bench.run(30)
    assert (slave.read(TIM_CNT), slave.read(TIM_CR1) & CEN, bench.pending(50)) == (30, CEN, True)


@pytest.mark.parametrize("interrupt", [0, 1])
def test_two_timers_make_a_longer_one(bench: Bench, interrupt: int) -> None:
    low, high = bench.timer(8), bench.timer(5)
    low.write(TIM_ARR, 999)
    low.write(TIM_CR2, 2 << 4)
    high.write(TIM_SMCR, 3 << 4 | 7)  # ITR3 is TIM8, external clock
    high.write(TIM_ARR, 49)
    high.write(TIM_DIER, interrupt)
    high.write(TIM_CR1, CEN)
    low.write(TIM_CR1, CEN)
    assert bench.idle == (not interrupt)
    bench.run(49_999)
    assert (high.read(TIM_CNT), high.read(TIM_SR) & 1, bench.pending(50)) == (49, 0, False)
    bench.run(1)
    assert (bench.pending(50), high.read(TIM_CNT), high.read(TIM_SR) & 1) == (bool(interrupt), 0, 1)


def test_an_encoder_counts_its_quarter_turns_both_ways(bench: Bench) -> None:
    timer = bench.timer(4)
    timer.write(TIM_CCMR1, 1 | 1 << 8)
    timer.write(TIM_SMCR, 3)
    timer.write(TIM_CR1, CEN)
    forward = [("CH1", True), ("CH2", True), ("CH1", False), ("CH2", False)]
    for pin, level in forward * 3:
        timer.drive(pin, level)
    assert (timer.read(TIM_CNT), timer.read(TIM_CR1) & DIR) == (12, 0)
    for pin, level in (("CH2", True), ("CH1", True), ("CH2", False), ("CH1", False)):
        timer.drive(pin, level)
    assert (timer.read(TIM_CNT), timer.read(TIM_CR1) & DIR) == (8, DIR)


def test_the_external_trigger_clocks_the_counter_through_its_prescaler(bench: Bench) -> None:
    timer = bench.timer(3)
    timer.write(TIM_SMCR, 1 << 14 | 1 << 12)  # ECE, ETPS = 2
    timer.write(TIM_CR1, CEN)
    for _ in range(10):
        timer.drive("ETR", True)
        timer.drive("ETR", False)
    bench.run(100)
    assert timer.read(TIM_CNT) == 5


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 5),
    st.integers(1, 60),
    st.lists(st.tuples(st.integers(1, 400), st.integers(0, 60)), min_size=1, max_size=8),
    st.booleans(),
)
def test_interrupts_come_at_the_clock_at_which_a_polling_reader_sees_the_flag(
    prescaler: int, reload: int, looks: list[tuple[int, int]], listen: bool
) -> None:
    """The same program on two benches, one with interrupts and alarms, one that only reads at the end."""
    lazy, eager = Bench(), Bench()
    for bench in (lazy, eager):
        timer = bench.timer(3)
        timer.write(TIM_PSC, prescaler)
        timer.write(TIM_ARR, reload)
        timer.write(TIM_EGR, 1)
        timer.write(TIM_SR, 0)
        timer.write(TIM_DIER, 3 if bench is eager else 0)
        timer.write(TIM_CR1, CEN | (ARPE if listen else 0))
    for cycles, value in looks:
        for bench in (lazy, eager):
            bench.run(cycles)
        assert eager.pending(29) == bool(lazy.timer(3).read(TIM_SR) & 3)
        assert lazy.timer(3).read(TIM_SR) == eager.timer(3).read(TIM_SR)
        assert lazy.timer(3).read(TIM_CNT) == eager.timer(3).read(TIM_CNT)
        for bench in (lazy, eager):
            bench.timer(3).write(TIM_CCR1, value)
            bench.timer(3).write(TIM_SR, 0)
            bench.machine.nvic.unpend(16 + 29)
