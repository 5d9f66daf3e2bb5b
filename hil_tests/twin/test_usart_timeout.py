"""The receiver's timeout of the USART (RM0385 31.5.13): silence of RTOR bits after the last byte."""

from __future__ import annotations

import pytest

from hil_tests.twin.conftest import Boot, words

pytestmark = pytest.mark.twin

BIT_S = 139 / 16e6
LISTENS = """
#define RTOR REG(0x40011014)
void irq37(void) {
    out[1] = USART1_ISR; out[0]++; USART1_ICR = 1 << 11; out[2] = USART1_ISR;
}
void main(void) {
    NVIC_ISER(1) = 1 << 5;
    uart_on(139, 1 << 26, 1 << 12);
    RTOR = 20; USART1_CR2 = %s;
    for (;;) WFI();
}
"""


def test_it_comes_once_after_the_last_byte(boot: Boot) -> None:
    twin = boot(LISTENS % "1 << 23")
    twin.run(0.001)
    twin.uart(1).feed(b"abc")
    twin.run(0.001 + 49 * BIT_S)
    assert words(twin)[0] == 0, "30 bits of bytes and 20 of silence"
    twin.run(0.001 + 52 * BIT_S)
    count, flags, after = words(twin)[:3]
    assert count == 1
    assert flags & 1 << 11
    assert not after & 1 << 11, "ICR clears it"
    twin.run(0.1)
    assert words(twin)[0] == 1


def test_a_byte_in_time_puts_it_off(boot: Boot) -> None:
    twin = boot(LISTENS % "1 << 23")
    twin.run(0.001)
    twin.uart(1).feed(b"a")
    twin.uart(1).feed(b"b", 0.001 + 25 * BIT_S)
    twin.run(0.001 + 52 * BIT_S)
    assert words(twin)[0] == 0
    twin.run(0.1)
    assert words(twin)[0] == 1


def test_without_rtoen_it_never_comes(boot: Boot) -> None:
    twin = boot(LISTENS % "0")
    twin.run(0.001)
    twin.uart(1).feed(b"abc")
    twin.run(0.1)
    assert words(twin)[0] == 0
