"""DMA streams: sizes, FIFO, circular and double buffers, priorities, errors, and timers' requests."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.twin.peripherals import dma_registers as d
from hil.twin.peripherals.tim_registers import (
    TIM_ARR,
    TIM_CCMR1,
    TIM_CCR1,
    TIM_CNT,
    TIM_CR1,
    TIM_CR2,
    TIM_DCR,
    TIM_DIER,
    TIM_DMAR,
    TIM_EGR,
    TIM_SR,
)
from hil_tests.twin.bench import SRAM, Bench

DMA1, DMA2 = 0x4002_6000, 0x4002_6400
EN, DMEIE, TEIE, HTIE, TCIE, PFCTRL, CIRC, PINC, MINC, PINCOS = (
    1, 2, 4, 8, 16, 32, 1 << 8, 1 << 9, 1 << 10, 1 << 15,
)  # fmt: skip
M2P, M2M, DBM, CT = 1 << 6, 2 << 6, 1 << 18, 1 << 19
FE, DME, TE, HT, TC = 1, 4, 8, 16, 32
SOURCE, TARGET, SECOND = SRAM, SRAM + 0x4000, SRAM + 0x8000
TIM5 = 0x4000_0C00
TIM5_UP = 6 << 25
"""Channel 6 of stream 6 (or 0) of DMA1."""


@pytest.fixture
def bench() -> Bench:
    return Bench()


class Stream:
    """One stream's registers and flags, as firmware sees them."""

    def __init__(self, bench: Bench, base: int, index: int) -> None:
        self.bench, self.base, self.index = bench, base, index

    def at(self, register: int) -> int:
        return self.base + 0x10 + 0x18 * self.index + register

    def get(self, register: int) -> int:
        return self.bench.word(self.at(register))

    def set(self, register: int, value: int) -> None:
        self.bench.put(self.at(register), value)

    def go(self, control: int, count: int, par: int, m0: int, m1: int = 0, fifo: int = 0) -> None:
        for register, value in ((4, count), (8, par), (12, m0), (16, m1), (20, fifo)):
            self.set(register, value)
        self.set(0, control | EN)

    @property
    def flags(self) -> int:
        shift = (0, 6, 16, 22)[self.index % 4]
        return self.bench.word(self.base + 4 * (self.index // 4)) >> shift & 0x3D

    def clear(self) -> None:
        self.bench.put(self.base + 8 + 4 * (self.index // 4), 0xFFFF_FFFF)


def pattern(size: int) -> bytes:
    return bytes(n * 7 + 3 & 0xFF for n in range(size))


def copy(bench: Bench, control: int, count: int, fifo: int = 3) -> Stream:
    """A memory-to-memory transfer on stream 0 of DMA2, run to its end."""
    stream = Stream(bench, DMA2, 0)
    stream.go(M2M | control, count, SOURCE, TARGET, fifo=fifo)
    bench.run(1_000_000)
    return stream


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2), st.integers(0, 2), st.integers(1, 70), st.booleans(), st.booleans(), st.integers(0, 3)
)
def test_memory_is_copied_byte_by_byte_whatever_the_two_sizes(
    psize: int, msize: int, items: int, pinc: bool, minc: bool, threshold: int
) -> None:
    bench = Bench()
    total = items * (1 << psize) // (1 << msize) * (1 << msize)
    items = total // (1 << psize)
    if not items or items << psize != total:
        return
    bench.memory.write(SOURCE, pattern(512))
    control = (PINC if pinc else 0) | (MINC if minc else 0) | psize << 11 | msize << 13
    stream = copy(bench, control, items, fifo=threshold)
    read = pattern(512)[:total] if pinc else pattern(512)[: 1 << psize] * items
    if minc:
        assert bench.memory.read(TARGET, total + 4) == read + bytes(4)
    else:
        assert bench.memory.read(TARGET, 1 << msize) == read[-(1 << msize) :]
    assert (stream.flags & TC, stream.get(4), stream.get(0) & EN) == (TC, 0, 0)


def test_pincos_steps_by_words(bench: Bench) -> None:
    bench.memory.write(SOURCE, pattern(64))
    copy(bench, PINC | MINC | PINCOS, 8)
    assert bench.memory.read(TARGET, 8) == pattern(64)[0:32:4]


def test_a_copy_takes_time_and_can_be_watched_and_cut(bench: Bench) -> None:
    bench.memory.write(SOURCE, pattern(1000))
    stream = Stream(bench, DMA2, 1)
    stream.go(M2M | PINC | MINC | TCIE, 1000, SOURCE, TARGET)
    bench.run(2000)
    left = stream.get(4)
    assert 400 < left < 600
    stream.set(0, stream.get(0) & ~EN)
    assert (stream.get(4), stream.flags & TC, stream.get(0) & EN) == (left, TC, 0)
    assert bench.memory.read(TARGET, 1000) == pattern(1000)[: 1000 - left] + bytes(left)
    assert bench.pending(57)


def test_the_higher_priority_is_served_first(bench: Bench) -> None:
    bench.memory.write(SOURCE, pattern(100))
    low, high, equal = (Stream(bench, DMA2, n) for n in (3, 5, 6))
    low.go(M2M | PINC | MINC, 100, SOURCE, TARGET)
    high.go(M2M | PINC | MINC | 3 << 16, 100, SOURCE, SECOND)
    equal.go(M2M | PINC | MINC | 3 << 16, 100, SOURCE, SECOND + 256)
    bench.run(405)
    assert [stream.flags & TC for stream in (low, high, equal)] == [0, TC, 0]
    bench.run(400)
    assert [stream.flags & TC for stream in (low, high, equal)] == [0, TC, TC]
    bench.run(400)
    assert low.flags & TC


@pytest.mark.parametrize("target", [0x1000_0000, 0x0800_0000, 0x0000_0000])
def test_a_bad_address_stops_the_stream_with_an_error(bench: Bench, target: int) -> None:
    stream = Stream(bench, DMA2, 2)
    stream.go(M2M | PINC | MINC | TEIE, 16, SOURCE, target)
    bench.run(1000)
    assert (stream.flags & (TE | TC), stream.get(0) & EN, bench.pending(58)) == (TE, 0, True)
    assert "cannot reach" in bench.warnings[0]


def test_a_copy_that_runs_out_of_memory_keeps_what_it_moved(bench: Bench) -> None:
    end = 0x2005_0000
    bench.memory.write(SOURCE, pattern(64))
    stream = Stream(bench, DMA2, 2)
    stream.go(M2M | PINC | MINC, 64, SOURCE, end - 32)
    bench.run(1000)
    assert stream.flags & TE
    assert bench.memory.read(end - 32, 32) == pattern(32)


def test_only_dma2_copies_memory(bench: Bench) -> None:
    stream = Stream(bench, DMA1, 0)
    stream.go(M2M | PINC | MINC, 16, SOURCE, TARGET)
    assert (stream.flags, stream.get(0) & EN) == (TE, 0)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2), st.integers(1, 3), st.integers(0, 3))
def test_a_threshold_that_is_no_whole_number_of_bursts_is_an_error(
    msize: int, burst: int, threshold: int
) -> None:
    bench = Bench()
    allowed = {  # RM0385 table 28: size, burst, threshold
        (0, 1): (0, 1, 2, 3), (0, 2): (1, 3), (0, 3): (3,),
        (1, 1): (1, 3), (1, 2): (3,), (2, 1): (3,),
    }  # fmt: skip
    stream = Stream(bench, DMA2, 0)
    stream.go(M2M | PINC | MINC | msize << 13 | burst << 23, 64, SOURCE, TARGET, fifo=threshold | 1 << 7)
    wrong = threshold not in allowed.get((msize, burst), ())
    assert bool(stream.flags & FE) == wrong == (not stream.get(0) & EN) == bench.pending(56)


def test_direct_mode_forces_one_size_and_no_bursts(bench: Bench) -> None:
    stream = Stream(bench, DMA1, 6)
    stream.go(TIM5_UP | M2P | 1 << 11 | 2 << 13 | 1 << 23 | 1 << 21 | PINCOS, 4, TIM5 + TIM_ARR, SOURCE)
    control = stream.get(0)
    assert (control >> 11 & 3, control >> 13 & 3, control >> 21 & 15, control & PINCOS) == (1, 1, 0, 0)


def test_memory_to_memory_forces_the_fifo_on(bench: Bench) -> None:
    stream = Stream(bench, DMA2, 0)
    stream.go(M2M | CIRC, 4, SOURCE, TARGET)
    assert (stream.get(0x14) & 4, stream.get(0) & CIRC) == (4, 0)


def paced(bench: Bench, every: int = 100) -> None:
    """TIM5 asks for DMA every `every` cycles."""
    timer = bench.timer(5)
    timer.write(TIM_ARR, every - 1)
    timer.write(TIM_DIER, 1 << 8)
    timer.write(TIM_CR1, 1)


def test_a_timer_paces_words_into_its_own_register(bench: Bench) -> None:
    bench.memory.write(SOURCE, b"".join(n.to_bytes(4, "little") for n in (11, 22, 33)))
    stream = Stream(bench, DMA1, 6)
    stream.go(TIM5_UP | M2P | MINC | 2 << 11 | TCIE, 3, TIM5 + TIM_CCR1, SOURCE)
    paced(bench)
    seen = []
    for _ in range(4):
        bench.run(100)
        seen.append((bench.word(TIM5 + TIM_CCR1), stream.get(4)))
    assert seen == [(11, 2), (22, 1), (33, 0), (33, 0)]
    assert stream.flags == TC | HT
    assert bench.pending(17)
    assert stream.get(0) & EN == 0


def test_dma1_reaches_apb1_only(bench: Bench) -> None:
    stream = Stream(bench, DMA1, 6)
    stream.go(TIM5_UP | M2P | MINC | 2 << 11, 3, 0x4002_0018, SOURCE)
    paced(bench)
    bench.run(100)
    assert stream.flags & TE


def test_dma2_drives_pins_at_the_pace_of_a_timer(bench: Bench) -> None:
    bench.put(0x4002_0000, 0x5555_5555)  # GPIOA: outputs
    levels = (1, 1 << 16, 3, 3 << 16)
    bench.memory.write(SOURCE, b"".join(n.to_bytes(4, "little") for n in levels))
    stream = Stream(bench, DMA2, 5)
    stream.go(6 << 25 | M2P | MINC | CIRC | 2 << 11, 4, 0x4002_0018, SOURCE)
    timer = bench.timer(1)
    timer.write(TIM_ARR, 49)
    timer.write(TIM_DIER, 1 << 8)
    timer.write(TIM_CR1, 1)
    seen = []
    for _ in range(8):
        bench.run(50)
        seen.append(bench.word(0x4002_0010) & 3)
    assert seen == [1, 0, 3, 0] * 2


def test_a_circular_transfer_starts_over_and_a_new_look_at_ndtr_sees_it(bench: Bench) -> None:
    bench.memory.write(SOURCE, pattern(4))
    stream = Stream(bench, DMA1, 6)
    stream.go(TIM5_UP | M2P | MINC | CIRC | HTIE | TCIE, 4, TIM5 + TIM_CCR1, SOURCE)
    paced(bench)
    seen = []
    for _ in range(9):
        bench.run(100)
        seen.append((stream.get(4), stream.flags))
        stream.clear()
    assert seen == [(3, 0), (2, HT), (1, 0), (4, TC), (3, 0), (2, HT), (1, 0), (4, TC), (3, 0)]


def test_double_buffering_swaps_and_lets_the_idle_buffer_move(bench: Bench) -> None:
    timer = bench.timer(5)
    stream = Stream(bench, DMA1, 6)
    stream.go(TIM5_UP | MINC | 2 << 11 | 2 << 13 | DBM, 2, TIM5 + TIM_CNT, TARGET, SECOND)
    paced(bench)
    timer.write(TIM_DIER, 1 << 8)
    assert stream.get(0) & CIRC
    bench.run(100)
    assert stream.get(0) & CT == 0
    bench.run(100)
    assert (stream.get(0) & CT, stream.flags) == (CT, TC | HT)
    stream.set(12, TARGET + 0x100)
    stream.clear()
    bench.run(200)
    assert stream.get(0) & CT == 0
    bench.memory.write(TARGET + 0x100, b"\xff" * 8)
    bench.run(200)
    assert bench.memory.read(TARGET + 0x100, 8) == bytes(8)
    assert stream.get(0) & EN
    current = 16 if stream.get(0) & CT else 12
    stream.set(current, TARGET)
    assert (stream.flags & TE, stream.get(0) & EN) == (TE, 0)


def test_registers_of_a_running_stream_are_protected(bench: Bench) -> None:
    stream = Stream(bench, DMA1, 6)
    stream.go(TIM5_UP | M2P | MINC, 7, TIM5 + TIM_CCR1, SOURCE)
    for register in (4, 8, 12, 16):
        stream.set(register, 0x1234)
    stream.set(0x14, 0x87)
    stream.set(0, stream.get(0) ^ (MINC | TCIE | 1 << 25))
    assert [stream.get(register) for register in (4, 8, 12, 16)] == [7, TIM5 + TIM_CCR1, SOURCE, 0]
    assert stream.get(0x14) & 0x87 == 0x80
    assert stream.get(0) & (MINC | TCIE | 1 << 25) == MINC | TCIE


def test_a_second_start_reloads_the_count(bench: Bench) -> None:
    stream = Stream(bench, DMA1, 6)
    stream.go(TIM5_UP | M2P | MINC, 2, TIM5 + TIM_CCR1, SOURCE)
    paced(bench)
    bench.run(250)
    assert stream.get(4) == 0
    stream.clear()
    stream.set(0, stream.get(0) | EN)
    assert stream.get(4) == 2
    bench.run(200)
    assert stream.flags & TC


def test_the_fifo_holds_data_back_until_its_threshold(bench: Bench) -> None:
    stream = Stream(bench, DMA1, 6)
    stream.go(TIM5_UP | MINC | 2 << 11 | 2 << 13, 8, TIM5 + TIM_ARR, TARGET, fifo=4 | 1)
    paced(bench)
    seen = []
    for _ in range(4):
        bench.run(100)
        seen.append((stream.get(0x14) >> 3 & 7, bench.memory.read(TARGET, 16).count(99)))
    assert seen == [(1, 0), (4, 2), (1, 2), (4, 4)]
    bench.run(100)
    stream.set(0, stream.get(0) & ~EN)
    assert (bench.memory.read(TARGET, 20).count(99), stream.get(4), stream.flags & TC) == (5, 3, TC)


def test_the_fifo_packs_halfwords_into_words(bench: Bench) -> None:
    stream = Stream(bench, DMA1, 6)
    stream.go(TIM5_UP | MINC | 1 << 11 | 2 << 13, 4, TIM5 + TIM_ARR, TARGET, fifo=4 | 0)
    paced(bench)
    bench.run(400)
    assert bench.memory.read(TARGET, 8) == bytes([99, 0] * 4)


def test_the_fifo_reads_ahead_of_the_peripheral(bench: Bench) -> None:
    bench.memory.write(SOURCE, bytes([1] * 32))
    stream = Stream(bench, DMA1, 6)
    stream.go(TIM5_UP | M2P | MINC, 32, TIM5 + TIM_CCR1, SOURCE, fifo=4 | 0)
    assert stream.get(0x14) >> 3 & 7 == 5
    bench.memory.write(SOURCE, bytes([2] * 32))
    paced(bench)
    seen = []
    for _ in range(18):
        bench.run(100)
        seen.append(bench.word(TIM5 + TIM_CCR1))
    assert seen == [1] * 16 + [2] * 2


def test_one_request_moves_a_whole_peripheral_burst(bench: Bench) -> None:
    bench.memory.write(SOURCE, pattern(8))
    stream = Stream(bench, DMA1, 6)
    stream.go(TIM5_UP | M2P | MINC | 1 << 21, 8, TIM5 + TIM_CCR1, SOURCE, fifo=4 | 3)
    paced(bench)
    bench.run(100)
    assert (stream.get(4), bench.word(TIM5 + TIM_CCR1)) == (4, pattern(8)[3])


def test_the_timers_burst_register_spreads_over_its_registers(bench: Bench) -> None:
    values = (199, 0, 20, 30)
    bench.memory.write(SOURCE, b"".join(n.to_bytes(4, "little") for n in values))
    stream = Stream(bench, DMA1, 6)
    stream.go(TIM5_UP | M2P | MINC | 2 << 11, 4, TIM5 + TIM_DMAR, SOURCE)
    timer = bench.timer(5)
    timer.write(TIM_DCR, 3 << 8 | TIM_ARR // 4)
    paced(bench)
    bench.run(100)
    assert [timer.read(TIM_ARR + 4 * n) for n in range(4)] == [199, 0, 20, 30]
    assert stream.flags & TC


def test_compare_requests_can_wait_for_the_update(bench: Bench) -> None:
    for ccds, at in ((0, 30), (8, 100)):
        fresh = Bench()
        stream = Stream(fresh, DMA1, 2)
        stream.go(6 << 25 | MINC | 2 << 11, 1, TIM5 + TIM_CNT, TARGET)
        timer = fresh.timer(5)
        timer.write(TIM_ARR, 99)
        timer.write(TIM_CCR1, 30)
        timer.write(TIM_CR2, ccds)
        timer.write(TIM_DIER, 1 << 9)
        timer.write(TIM_CR1, 1)
        fresh.run(at - 1)
        assert not stream.flags & TC
        fresh.run(1)
        assert stream.flags & TC


def test_captures_go_to_memory_one_by_one(bench: Bench) -> None:
    stream = Stream(bench, DMA1, 2)
    stream.go(6 << 25 | MINC | 2 << 11, 3, TIM5 + TIM_CCR1, TARGET)
    timer = bench.timer(5)
    timer.write(TIM_CCMR1, 1)
    timer.write(0x20, 0xB)  # both edges
    timer.write(TIM_DIER, 1 << 9)
    timer.write(TIM_CR1, 1)
    for n, cycles in enumerate((10, 25, 40)):
        bench.run(cycles)
        timer.drive("CH1", n % 2 == 0)
    words = [int.from_bytes(bench.memory.read(TARGET + 4 * n, 4), "little") for n in range(3)]
    assert words == [10, 35, 75]
    assert timer.read(TIM_SR) & 1 << 9 == 0


def test_a_request_that_nothing_served_waits_for_its_stream(bench: Bench) -> None:
    timer = bench.timer(5)
    timer.write(TIM_DIER, 1 << 8)
    timer.write(TIM_EGR, 1)
    stream = Stream(bench, DMA1, 6)
    stream.go(TIM5_UP | M2P | MINC, 4, TIM5 + TIM_CCR1, SOURCE)
    assert stream.get(4) == 3
    timer.write(TIM_EGR, 1)
    assert stream.get(4) == 2
    stream.set(0, stream.get(0) & ~EN)
    timer.write(TIM_EGR, 1)
    timer.write(TIM_DIER, 0)
    stream.set(0, stream.get(0) | EN)
    assert stream.get(4) == 2


def test_of_two_requests_at_once_the_priority_decides(bench: Bench) -> None:
    """Update and compare at the same count write the same register; the last one wins."""
    for first in (2, 6):
        fresh = Bench()
        fresh.memory.write(SOURCE, bytes([22, 66]))
        for index in (2, 6):
            Stream(fresh, DMA1, index).go(
                6 << 25 | M2P | (3 << 16 if index == first else 0), 1,
                TIM5 + TIM_CCR1 + 4, SOURCE + (index == 6),
            )  # fmt: skip
        timer = fresh.timer(5)
        timer.write(TIM_ARR, 99)
        timer.write(TIM_CCR1, 0)
        timer.write(TIM_DIER, 1 << 8 | 1 << 9)
        timer.write(TIM_CR1, 1)
        fresh.run(100)
        assert fresh.word(TIM5 + TIM_CCR1 + 4) == (66 if first == 2 else 22)


def test_a_peripheral_that_controls_the_flow_ends_the_transfer(bench: Bench) -> None:
    stream = Stream(bench, DMA1, 6)
    stream.go(TIM5_UP | MINC | PFCTRL, 9, TIM5 + TIM_ARR, TARGET, fifo=4 | 3)
    assert stream.get(4) == 0xFFFF
    paced(bench)
    bench.run(300)
    model = next(p for p in bench.peripherals.all if p.name == "DMA1").streams[6]  # type: ignore[attr-defined]
    model.finish()
    assert (stream.get(4), stream.flags & TC, stream.get(0) & EN) == (0xFFFF - 3, TC, 0)
    assert bench.memory.read(TARGET, 4) == bytes([99, 99, 99, 0])


def test_flags_lie_where_the_manual_puts_them(bench: Bench) -> None:
    for index, shift in enumerate((0, 6, 16, 22) * 2):
        stream = Stream(bench, DMA2, index)
        stream.go(M2M | PINC | MINC, 2, SOURCE, TARGET)
        bench.run(100)
        register = DMA2 + 4 * (index // 4)
        assert bench.word(register) == (TC | HT) << shift
        bench.put(register + 8, TC << shift)
        assert bench.word(register) == HT << shift
        stream.clear()
    assert bench.word(DMA1 + 0x24) == d.DMA_SXFCR_RESET | 4 << 3
