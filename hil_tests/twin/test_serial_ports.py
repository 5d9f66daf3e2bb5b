"""Serial ports and DMA, as firmware sees them: bytes take their time, and none is lost unseen."""

from __future__ import annotations

from itertools import pairwise

import pytest

from hil.twin import StopReason
from hil_tests.twin.conftest import Boot, words
from hil_tests.twin.firmware import CLOCK_216_MHZ, DMA

pytestmark = pytest.mark.twin


def test_polled_bytes_leave_at_the_rate_of_brr(boot: Boot) -> None:
    source = """
        void main(void) {
            uart_on(139, 0, 0);
            for (const char *c = "hello"; *c; c++) { while (!(USART1_ISR & 1 << 7)) {} USART1_TDR = *c; }
            out[0] = USART1_ISR >> 6 & 1; while (!(USART1_ISR & 1 << 6)) {} out[1] = 1;
        }
    """
    twin = boot(source)
    twin.run(0.01)
    sent = twin.uart(1).take()
    assert b"".join(part.data for part in sent) == b"hello"
    gaps = [later.ended_s - earlier.ended_s for earlier, later in pairwise(sent)]
    assert gaps == pytest.approx([10 * 139 / 16e6] * 4, rel=1e-9)
    assert words(twin)[:2] == [0, 1], "TC only after the last bit"


def test_over8_doubles_the_reach_to_an_eighth_of_the_clock(boot: Boot) -> None:
    source = CLOCK_216_MHZ + "void main(void) { clock_216(); uart_on(0x10, 1 << 15, 0); }"
    twin = boot(source)
    twin.run(0.001)
    assert twin.uart(1).byte_s == pytest.approx(10 / 13_500_000)


def test_a_whole_dma_transfer_is_one_delivery_and_its_count_runs_down_in_time(boot: Boot) -> None:
    source = (
        DMA
        + """
        static uint8_t data[1000];
        void irq70(void) { out[0]++; out[1] = DMA2_HISR >> 22 & 0x3D; DMA2_HIFCR = 0x3D << 22;
            out[2] = DWT_CYCCNT; }
        void irq37(void) { if (USART1_ISR & 1 << 6) { USART1_ICR = 1 << 6; out[3]++;
            out[4] = DWT_CYCCNT; } }
        void main(void) {
            for (int i = 0; i < 1000; i++) data[i] = (uint8_t)i;
            uart_on(16, 0, 1 << 7); NVIC_ISER(1) = 1 << 5; NVIC_ISER(2) = 1 << 6; cycles_on();
            USART1_ICR = 1 << 6; USART1_CR1 |= 1 << 6; out[8] = DWT_CYCCNT;
            dma_tx(data, 1000, 1 << 4);
            while (DWT_CYCCNT - out[8] < 80000) {} out[5] = DMA2_S(7, 4);
            while (!out[3]) {} out[6] = DMA2_S(7, 4); out[7] = DMA2_S(7, 0) & 1;
        }
    """
    )
    twin = boot(source)
    twin.uart(1).stop_on_sent()
    stop = twin.run(0.1)
    (sent,) = twin.uart(1).take()
    assert stop.reason is StopReason.TRANSMITTED
    assert sent.data == bytes(i & 0xFF for i in range(1000))
    twin.run(0.1)
    w = words(twin)
    assert (w[0], w[1], w[3]) == (1, 0x30, 1), "HT and TC, one interrupt each"
    assert w[5] == pytest.approx(499, abs=2), "half of 160000 cycles have passed"
    assert (w[6], w[7]) == (0, 0)
    assert w[2] - w[8] == pytest.approx(998 * 160, abs=100)
    assert w[4] - w[8] == pytest.approx(1000 * 160, abs=100)


def test_two_dma_transfers_follow_each_other_without_a_gap(boot: Boot) -> None:
    source = (
        DMA
        + """
        void main(void) {
            uart_on(16, 0, 1 << 7);
            dma_tx("first ", 6, 0); while (DMA2_S(7, 0) & 1) {} DMA2_HIFCR = 0x3D << 22;
                dma_tx("second", 6, 0);
        }
    """
    )
    twin = boot(source)
    twin.run(0.01)
    first, second = twin.uart(1).take()
    assert first.data + second.data == b"first second"
    assert second.ended_s - first.ended_s == pytest.approx(60 / 1e6)


CIRCULAR = (
    DMA
    + r"""
static volatile uint8_t ring[64];
void irq37(void) { if (USART1_ISR & 1 << 4) { USART1_ICR = 1 << 4; out[0]++; out[1] = 64 - DMA2_S(2,
    4); out[2] = DWT_CYCCNT; } }
void irq58(void) { uint32_t f = DMA2_LISR >> 16 & 0x3D; DMA2_LIFCR = 0x3D << 16;
    if (f & 0x10) out[3]++; if (f & 0x20) out[4]++; }
void main(void) {
    uart_on(16, 1 << 4, 1 << 6); cycles_on(); NVIC_ISER(1) = 1 << 5 | 1 << 26;
    dma_rx((void *)ring, 64, 1 << 8 | 1 << 3 | 1 << 4);
    for (;;) WFI();
}
"""
)


def test_fed_bytes_land_in_the_circular_buffer_and_idle_follows_one_byte_later(boot: Boot) -> None:
    twin = boot(CIRCULAR)
    twin.uart(1).feed(b"abcdef", at_s=0.001)
    twin.run(0.001 + 6.9e-5)
    assert words(twin)[0] == 0
    twin.run(0.001 + 7.3e-5)
    assert words(twin)[:2] == [1, 6]
    assert twin.read(twin.symbol("ring"), 6) == b"abcdef"


def test_the_circular_buffer_wraps_with_half_and_full_interrupts(boot: Boot) -> None:
    twin = boot(CIRCULAR)
    data = bytes(range(1, 201))
    twin.uart(1).feed(data, at_s=0.001)
    twin.run(0.01)
    idles, position, _, halves, fulls = words(twin)[:5]
    assert (idles, position, halves, fulls) == (1, 200 % 64, 3, 3)
    ring = twin.read(twin.symbol("ring"), 64)
    assert ring == data[192:] + data[136:192]


def test_two_bursts_with_a_pause_give_two_idles_and_without_one_give_one(boot: Boot) -> None:
    twin = boot(CIRCULAR)
    twin.uart(1).feed(b"one", at_s=0.001)
    twin.uart(1).feed(b"two", at_s=0.002)
    twin.run(0.003)
    assert words(twin)[:2] == [2, 6]
    twin.uart(1).feed(b"x", at_s=0.004)
    twin.uart(1).feed(b"y", at_s=0.004)
    twin.run(0.005)
    assert words(twin)[:2] == [3, 8]


def test_the_character_that_ends_a_frame_interrupts_at_once_in_the_middle_of_a_burst(boot: Boot) -> None:
    source = (
        DMA
        + """
        static volatile uint8_t ring[64];
        void irq37(void) {
            uint32_t i = out[0]++;
            if (USART1_ISR & 1 << 17) out[1 + i] = 64 - DMA2_S(2, 4);
            USART1_ICR = 1 << 17;
        }
        void main(void) {
            uart_on(16, 1 << 14, 1 << 6); NVIC_ISER(1) = 1 << 5; dma_rx((void *)ring, 64, 1 << 8);
            for (;;) WFI();
        }
    """
    )
    twin = boot(source)
    twin.uart(1).feed(b"first\0second\0", at_s=0.001)
    twin.run(0.002)
    assert words(twin)[:3] == [2, 6, 13]


def test_the_count_of_a_receiving_stream_is_right_in_the_middle_of_a_burst(boot: Boot) -> None:
    source = (
        DMA
        + """
        static volatile uint8_t ring[64];
        void main(void) { uart_on(16, 0, 1 << 6); dma_rx((void *)ring, 64, 1 << 8);
            while (64 - DMA2_S(2, 4) < 10) {} out[0] = ring[9]; out[1] = ring[10]; }
    """
    )
    twin = boot(source)
    twin.uart(1).feed(bytes(range(100, 150)), at_s=0.001)
    twin.run(0.0011 + 2e-5)
    assert words(twin)[:2] == [109, 0]


def test_without_dma_each_byte_interrupts(boot: Boot) -> None:
    source = """
        void irq37(void) { out[1 + out[0]++] = USART1_RDR; }
        void main(void) { uart_on(139, 1 << 5, 0); NVIC_ISER(1) = 1 << 5; for (;;) WFI(); }
    """
    twin = boot(source)
    twin.uart(1).feed(b"abc", at_s=0.001)
    twin.run(0.01)
    assert words(twin)[:4] == [3, *b"abc"]


def test_bytes_that_nobody_reads_overrun(boot: Boot) -> None:
    source = """
        void main(void) { uart_on(16, 0, 0); for (int i = 0; i < 20000; i++) ASM("nop");
            out[0] = USART1_ISR & 0x28; out[1] = USART1_RDR; USART1_ICR = 8; out[2] = USART1_ISR & 0x28; }
    """
    twin = boot(source)
    twin.uart(1).feed(b"abc", at_s=0.0001)
    twin.run(0.01)
    assert words(twin)[:3] == [0x28, ord("a"), 0]
    assert twin.uart(1).lost == 2


def test_a_receiver_that_is_off_loses_bytes(boot: Boot) -> None:
    twin = boot("void main(void) { }")
    twin.uart(1).feed(b"early", at_s=0)
    twin.run(0.01)
    assert twin.uart(1).lost == 5


def test_stream_seven_cannot_reach_itcm_ram(boot: Boot) -> None:
    twin = boot(
        DMA
        + """
        void main(void) { uart_on(16, 0, 1 << 7); dma_tx((void *)0x100, 4, 0);
            out[0] = DMA2_HISR >> 22 & 0x3D; out[1] = DMA2_S(7, 0) & 1; }
    """
    )
    twin.run(0.001)
    assert words(twin)[:2] == [8, 0]
    assert any("cannot reach 0x00000100" in warning for warning in twin.warnings)


def test_memory_to_memory_copies(boot: Boot) -> None:
    source = (
        DMA
        + """
        static uint32_t to[4];
        void main(void) { RCC_AHB1ENR |= 1 << 22; DMA2_S(0, 8) = 0x08000000; DMA2_S(0,
            12) = (uint32_t)to; DMA2_S(0, 4) = 4;
            DMA2_S(0, 0) = 2 << 13 | 2 << 11 | 1 << 10 | 1 << 9 | 2 << 6 | 1;
                while (!(DMA2_LISR & 1 << 5)) {} out[0] = to[0]; out[1] = to[1] == REG(0x08000004); }
    """
    )
    twin = boot(source)
    twin.run(0.001)
    assert words(twin)[:2] == [0x2005_0000, 1]
