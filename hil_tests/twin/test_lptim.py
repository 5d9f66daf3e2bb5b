"""LPTIM1: handshakes, matches, modes and clocks."""

from __future__ import annotations

import pytest

from hil.twin.clock import SECOND_FS, to_s
from hil.twin.peripherals import rcc as r
from hil.twin.peripherals.lptim import (
    LPTIM_ARR,
    LPTIM_CFGR,
    LPTIM_CMP,
    LPTIM_CNT,
    LPTIM_CR,
    LPTIM_ICR,
    LPTIM_IER,
    LPTIM_ISR,
    Lptim,
)
from hil_tests.twin.bench import Bench

ENABLE, SNGSTRT, CNTSTRT = 1, 2, 4
CMPM, ARRM, EXTTRIG, CMPOK, ARROK = 1, 2, 4, 8, 16
IRQ = 93
LSE = 3 << 24


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def lptim(bench: Bench) -> Lptim:
    """LPTIM1 on LSE, prescaler 2: as Mbed OS sets it up for its low-power ticker."""
    bench.peripherals.rcc.write(r.RCC_DCKCFGR2, LSE)
    timer = bench.peripherals.lptim
    timer.write(LPTIM_CFGR, 1 << 9)
    return timer


def start(lptim: Lptim, bench: Bench, reload: int, compare: int, how: int = CNTSTRT) -> None:
    """Sets ARR and CMP, waits for both, clears flags and starts."""
    lptim.write(LPTIM_CR, ENABLE)
    lptim.write(LPTIM_ARR, reload)
    lptim.write(LPTIM_CMP, compare)
    bench.run(4000)
    assert lptim.read(LPTIM_ISR) & (CMPOK | ARROK) == CMPOK | ARROK
    lptim.write(LPTIM_ICR, 0x7F)
    lptim.write(LPTIM_CR, ENABLE | how)


def test_a_write_is_acknowledged_some_kernel_clocks_later(bench: Bench, lptim: Lptim) -> None:
    lptim.write(LPTIM_CR, ENABLE)
    lptim.write(LPTIM_IER, ARROK)
    lptim.write(LPTIM_ARR, 999)
    assert lptim.read(LPTIM_ISR) == 0
    waited = 0
    while not lptim.read(LPTIM_ISR) & ARROK:
        bench.run(100)
        waited += 100
    assert 2 / 32768 < waited / 16e6 <= 3 / 32768 + 1e-5
    assert bench.pending(IRQ)


def test_compare_and_autoreload_match_at_their_counts(bench: Bench, lptim: Lptim) -> None:
    lptim.write(LPTIM_IER, CMPM | ARRM)
    start(lptim, bench, reload=999, compare=300)
    first_fs = lptim._ticks.time_fs(0)
    seen = []
    for flag in (CMPM, ARRM, CMPM):
        bench.machine.nvic.unpend(16 + IRQ)
        while not bench.pending(IRQ):
            bench.run(50)
        assert lptim.read(LPTIM_ISR) & (CMPM | ARRM) == flag
        seen.append(to_s(bench.clock.now_fs - first_fs))
        lptim.write(LPTIM_ICR, flag)
    assert seen == pytest.approx([300 / 16384, 999 / 16384, 1300 / 16384], abs=2e-5)


def test_a_single_start_stops_behind_one_period(bench: Bench, lptim: Lptim) -> None:
    start(lptim, bench, reload=9, compare=5, how=SNGSTRT)
    bench.run(16_000_000)
    assert lptim.read(LPTIM_ISR) == CMPM | ARRM
    assert lptim.read(LPTIM_CNT) == 0
    lptim.write(LPTIM_ICR, 0x7F)
    lptim.write(LPTIM_CR, ENABLE | SNGSTRT)
    bench.run(16_000_000)
    assert lptim.read(LPTIM_ISR) == CMPM | ARRM


def test_preloaded_values_wait_for_the_end_of_the_period(bench: Bench, lptim: Lptim) -> None:
    lptim.write(LPTIM_CFGR, 1 << 22)
    start(lptim, bench, reload=3276, compare=100)
    bench.run(160_000)
    lptim.write(LPTIM_ARR, 327)
    bench.run(16_000_000 // 20)
    assert lptim.read(LPTIM_CNT) > 327
    bench.run(16_000_000)
    assert lptim.read(LPTIM_CNT) <= 327


@pytest.mark.parametrize(("select", "hz"), [(0, 16_000_000), (1, 32_000), (2, 16_000_000), (3, 32_768)])
def test_the_kernel_clock_is_chosen_in_rcc(bench: Bench, select: int, hz: int) -> None:
    bench.peripherals.rcc.write(r.RCC_DCKCFGR2, select << 24)
    lptim = bench.peripherals.lptim
    start(lptim, bench, reload=0xFFFF, compare=0xFFFE)
    begin_fs = bench.clock.now_fs
    bench.run(16_000)
    counts = lptim.read(LPTIM_CNT)
    assert abs(counts - (bench.clock.now_fs - begin_fs) * hz // SECOND_FS) <= 3


def test_an_external_trigger_starts_a_counter_that_waits_for_it(bench: Bench, lptim: Lptim) -> None:
    lptim.write(LPTIM_CFGR, 1 << 17)
    start(lptim, bench, reload=0xFFFF, compare=0xFFFE)
    bench.run(16_000_000)
    assert lptim.read(LPTIM_CNT) == 0
    lptim.trigger()
    bench.run(16_000_000)
    assert lptim.read(LPTIM_ISR) == EXTTRIG
    assert lptim.read(LPTIM_CNT) in (32765, 32766, 32767, 32768)


def test_edges_of_the_input_are_counted_when_chosen(bench: Bench, lptim: Lptim) -> None:
    lptim.write(LPTIM_CFGR, 1)
    start(lptim, bench, reload=99, compare=3)
    bench.run(1000)
    lptim.pulse(4)
    assert (lptim.read(LPTIM_CNT), lptim.read(LPTIM_ISR)) == (4, CMPM)


def test_the_wake_line_follows_the_request(bench: Bench, lptim: Lptim) -> None:
    levels: list[bool] = []
    lptim.wake_line = levels.append
    lptim.write(LPTIM_IER, CMPM)
    start(lptim, bench, reload=99, compare=50)
    levels.clear()
    bench.run(16_000_000 // 200)
    assert levels[-1] is True
    lptim.write(LPTIM_ICR, CMPM)
    assert levels[-1] is False


def test_without_interrupts_it_costs_nothing_and_ignores_writes_while_off(bench: Bench, lptim: Lptim) -> None:
    lptim.write(LPTIM_ARR, 77)
    assert lptim.read(LPTIM_ARR) == 1
    start(lptim, bench, reload=0xFFFF, compare=5)
    assert bench.idle
    lptim.write(LPTIM_CFGR, 0)
    assert lptim.read(LPTIM_CFGR) == 1 << 9
    assert bench.warnings == ["LPTIM1: CFGR is written while ENABLE is set, which has no effect"]
    lptim.write(LPTIM_CR, 0)
    assert lptim.read(LPTIM_CNT) == 0
