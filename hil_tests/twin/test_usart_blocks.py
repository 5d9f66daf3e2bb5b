"""Bytes that DMA takes from a USART in blocks: as if firmware had looked at every one of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from hil.twin.clock import TICKS_PER_CYCLE
from hil.twin.memory import FLASH_BASE
from hil.twin.peripherals import usart as u
from hil.twin.peripherals.usart_receiver import Receiver
from hil_tests.twin.bench import SRAM, Bench

USART1, STREAM = 0x4001_1000, 0x4002_6400 + 0x10 + 0x18 * 2
DMA2_LISR, DMA2_LIFCR = 0x4002_6400, 0x4002_6408
RDR = USART1 + u.USART_RDR
RCC_AHB1RSTR, DMA2_RESET = 0x4002_3810, 1 << 22
EN, HTIE, TCIE, CIRC, MINC, DBM = 1, 1 << 3, 1 << 4, 1 << 8, 1 << 10, 1 << 18
CHANNEL_4 = 4 << 25
MATCH = 0xA5
BYTE_CYCLES = 160
"""Ten bits of 16 clocks each: the core and the USART both run at 16 MHz."""
TRANSFER_ERROR = 1 << 3 << 16
FIRST, SECOND, ROOM = SRAM, SRAM + 0x200, 0x400


@dataclass
class Listener:
    """A USART that DMA empties into a ring, and what became of its interrupt lines."""

    size: int
    control: int
    fifo: int
    cr1: int
    bench: Bench = field(default_factory=Bench)
    lines: list[tuple[int, int, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._set_line = self.bench.machine.nvic.set_line
        self.bench.machine.nvic.set_line = self._record  # type: ignore[method-assign]
        for register, value in (
            (u.USART_BRR, 16),
            (u.USART_RTOR, 12),
            (u.USART_CR2, u.USART_CR2_RTOEN | MATCH << u.USART_CR2_ADD_SHIFT),
            (u.USART_CR3, u.USART_CR3_DMAR),
            (u.USART_CR1, self.cr1 | u.USART_CR1_UE | u.USART_CR1_RE),
        ):
            self.bench.put(USART1 + register, value)
        self.restart()

    def _record(self, irq: int, level: bool) -> None:
        nvic = self.bench.machine.nvic
        before = nvic._lines
        self._set_line(irq, level)
        if nvic._lines != before:
            self.lines.append((self.bench.clock.now_fs, irq, level))

    def restart(self, at: int = FIRST) -> None:
        """The stream begins its ring anew."""
        self.bench.put(STREAM, 0)
        self.clear()
        for register, value in ((4, self.size), (8, RDR), (12, at), (16, SECOND), (20, self.fifo)):
            self.bench.put(STREAM + register, value)
        self.bench.put(STREAM, self.control)
        self.bench.put(STREAM, self.control | EN)

    def clear(self) -> None:
        """Firmware has seen all flags."""
        self.bench.put(DMA2_LIFCR, 0xFFFF_FFFF)
        self.bench.put(USART1 + u.USART_ICR, 0xFFFF_FFFF)

    @property
    def receiver(self) -> Receiver:
        return self.bench.peripherals.usarts[1].rx

    def look(self) -> tuple[object, ...]:
        """All that firmware sees: CR, NDTR and FCR, flags of both, the ring, the interrupts up to now."""
        addresses = (STREAM, STREAM + 4, STREAM + 20, DMA2_LISR, USART1 + u.USART_ISR)
        words = tuple(self.bench.word(address) for address in addresses)
        memory = self.bench.memory.read(SRAM, ROOM)
        return words, memory, tuple(self.lines), self.bench.machine.nvic.pending, self.receiver.lost

    def wait(self, cycles: int, look_every: int | None) -> None:
        """Time passes; NDTR is looked at every so many cycles."""
        while look_every is not None and cycles > look_every:
            self.bench.run(look_every)
            self.bench.word(STREAM + 4)
            cycles -= look_every
        self.bench.run(cycles)

    def oversleep(self, cycles: int, look: bool) -> None:
        """A long basic block: alarms wait for its end, where firmware may look before they go off."""
        self.bench.state.ticks += cycles * TICKS_PER_CYCLE
        if look:
            self.bench.word(STREAM + 4)
        self.bench.run(0)


PIECES = st.binary(min_size=1, max_size=90) | st.lists(
    st.sampled_from([0, 1, MATCH]), min_size=1, max_size=20
).map(bytes)
STEPS = st.lists(
    st.tuples(st.just("feed"), PIECES)
    | st.tuples(st.just("wait"), st.integers(1, 40 * BYTE_CYCLES))
    | st.tuples(st.just("oversleep"), st.integers(1, 4 * BYTE_CYCLES))
    | st.tuples(st.just("clear"), st.none())
    | st.tuples(st.just("restart"), st.none()),
    min_size=1,
    max_size=12,
)


@settings(max_examples=80, deadline=None)
@given(
    size=st.integers(1, 70),
    control=st.sets(st.sampled_from([CIRC, MINC, HTIE, TCIE, DBM])).map(sum),
    fifo=st.sampled_from([0, 4, 5, 7]),
    cr1=st.sets(st.sampled_from([u.USART_CR1_IDLEIE, u.USART_CR1_CMIE, u.USART_CR1_RTOIE])).map(sum),
    look_every=st.integers(20, 2 * BYTE_CYCLES),
    steps=STEPS,
)
def test_nothing_tells_blocks_from_single_bytes(
    size: int, control: int, fifo: int, cr1: int, look_every: int, steps: list[tuple[str, object]]
) -> None:
    """One listener looks all the time, the other only now and then; each then sees the same."""
    curious, patient = (Listener(size, CHANNEL_4 | control, fifo, cr1) for _ in range(2))
    for kind, value in [*steps, ("wait", 200 * BYTE_CYCLES)]:
        for listener in (curious, patient):
            if kind == "feed":
                assert isinstance(value, bytes)
                listener.receiver.feed(value, listener.bench.clock.now_fs)
            elif kind == "wait":
                assert isinstance(value, int)
                listener.wait(value, look_every if listener is curious else None)
            elif kind == "oversleep":
                assert isinstance(value, int)
                listener.oversleep(value, look=listener is curious)
            elif kind == "clear":
                listener.clear()
            else:
                listener.restart()
        assert curious.look() == patient.look()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 70), st.lists(st.integers(1, 30 * BYTE_CYCLES), max_size=20))
def test_every_look_finds_the_bytes_whose_stop_bit_has_ended(size: int, waits: list[int]) -> None:
    listener = Listener(size, CHANNEL_4 | CIRC | MINC, 0, 0)
    data = bytes(n % 251 + 1 for n in range(400))
    listener.receiver.feed(data, listener.bench.clock.now_fs)
    passed = 0
    for cycles in waits:
        listener.bench.run(cycles)
        passed += cycles
        came = min(passed // BYTE_CYCLES, len(data))
        ring = bytearray(size)
        for place in range(max(0, came - size), came):
            ring[place % size] = data[place]
        assert listener.bench.word(STREAM + 4) == size - came % size
        assert listener.bench.memory.read(FIRST, size) == bytes(ring)


def test_a_controller_that_is_reset_takes_no_more_bytes() -> None:
    listener = Listener(16, CHANNEL_4 | CIRC | MINC, 0, 0)
    listener.receiver.feed(b"12345678", listener.bench.clock.now_fs)
    listener.wait(3 * BYTE_CYCLES + 1, BYTE_CYCLES)
    for bits in (DMA2_RESET, 0):
        listener.bench.put(RCC_AHB1RSTR, bits)
    listener.bench.run(BYTE_CYCLES)
    assert listener.bench.word(USART1 + u.USART_ISR) & u.USART_ISR_RXNE
    assert (listener.bench.word(RDR), listener.bench.word(STREAM + 4)) == (ord("4"), 0)
    assert listener.bench.memory.read(FIRST, 4) == b"123\0"
    assert (listener.bench.word(DMA2_LISR), listener.bench.warnings) == (0, [])


def test_bytes_behind_the_end_of_memory_are_a_transfer_error() -> None:
    """Also where the stream stored to that memory before."""
    listener = Listener(16, CHANNEL_4 | MINC, 0, 0)
    listener.restart(at=0x2004_FFFC)
    listener.receiver.feed(b"12345678", listener.bench.clock.now_fs)
    listener.wait(4 * BYTE_CYCLES + 1, BYTE_CYCLES)
    assert (listener.bench.word(STREAM + 4), listener.bench.word(DMA2_LISR)) == (12, 0)
    listener.bench.run(BYTE_CYCLES)
    assert (listener.bench.word(STREAM + 4), listener.bench.word(DMA2_LISR)) == (12, TRANSFER_ERROR)
    assert not listener.bench.word(STREAM) & EN
    assert listener.bench.memory.read(0x2004_FFFC, 4) == b"1234"


def test_flash_refuses_the_second_stream_like_the_first() -> None:
    listener = Listener(16, CHANNEL_4 | MINC, 0, 0)
    for _ in range(2):
        listener.restart(at=FLASH_BASE)
        listener.receiver.feed(b"1", listener.bench.clock.now_fs)
        listener.bench.run(2 * BYTE_CYCLES)
        assert listener.bench.word(DMA2_LISR) == TRANSFER_ERROR
        listener.bench.word(RDR)
    assert listener.bench.memory.read(FLASH_BASE, 4) == b"\xff" * 4
