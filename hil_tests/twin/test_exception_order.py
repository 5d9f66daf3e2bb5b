"""The order of exceptions: late arrivals, interrupts that stay high, events and sleep."""

from __future__ import annotations

import pytest

from hil_tests.twin.conftest import Boot, words

pytestmark = pytest.mark.twin


def test_a_higher_priority_that_arrives_during_entry_goes_first(boot: Boot) -> None:
    """SysTick's wrap falls into the twelve cycles of SVC's entry, for some of the periods tried."""
    source = """
        static volatile uint32_t at, order[4];
        void svcall(void) { order[at++] = 11; }
        void systick(void) { order[at++] = 15; SYST_CSR = 0; }
        void main(void) {
            SCB_SHPR(11) = 0x80; SCB_SHPR(15) = 0x40;
            for (uint32_t wait = 10; wait < 60; wait++) {
                at = 0; SYST_RVR = wait; SYST_CVR = 0; SYST_CSR = 7;
                __asm volatile("nop\\n nop\\n nop\\n nop\\n nop\\n nop\\n svc 0");
                while (at < 2) {}
                out[order[0] == 11 ? 0 : 1]++;
                if (order[0] == 15 && order[1] == 11) out[2]++;
            }
            out[3] = 1;
        }
    """
    twin = boot(source)
    twin.run(0.01)
    first_svc, first_tick, chained, done = words(twin)[:4]
    assert (done, first_svc + first_tick) == (1, 50)
    assert first_svc > 0
    assert chained == first_tick > 0


def test_a_line_that_stays_high_interrupts_again(boot: Boot) -> None:
    source = """
        void irq37(void) { out[0]++; if (out[0] == 5) USART1_CR1 = 0; }
        void main(void) { uart_on(16, 0, 0); NVIC_ISER(1) = 1 << 5; USART1_CR1 |= 1 << 7;
            ASM("dsb\\n isb"); out[1] = 1; }
    """
    twin = boot(source)
    twin.run(0.01)
    assert words(twin)[:2] == [5, 1]


def test_wfe_wakes_to_a_disabled_interrupt_only_with_sevonpend(boot: Boot) -> None:
    source = """
        void main(void) {{ SCB_SCR = {scr}; SYST_RVR = 15999; SYST_CVR = 0; ASM("cpsid i"); SYST_CSR = 7;
            ASM("wfe"); out[0]++; for (;;) ASM("wfe"); }}
    """
    for scr, woken in ((0, 0), (1 << 4, 1)):
        twin = boot(source.format(scr=scr))
        twin.run(0.0105)
        assert words(twin)[0] == woken


def test_wfe_wakes_to_an_exception_it_takes(boot: Boot) -> None:
    twin = boot("""
        void systick(void) { out[0]++; }
        void main(void) { SYST_RVR = 15999; SYST_CVR = 0; SYST_CSR = 7; for (;;) { ASM("wfe"); out[1]++; } }
    """)
    twin.run(0.0105)
    ticks, rounds = words(twin)[:2]
    assert ticks == 10
    assert 10 <= rounds <= 21


def test_icsr_tells_what_is_pending_and_active(boot: Boot) -> None:
    source = """
        void irq6(void) { NVIC_ISPR(0) = 1 << 7; out[0] = SCB_ICSR; }
        void irq7(void) { out[1] = SCB_ICSR; }
        void main(void) { NVIC_ISER(0) = 3 << 6; STIR = 6; ASM("dsb\\n isb"); out[2] = SCB_ICSR; }
    """
    twin = boot(source)
    twin.run(0.001)
    assert words(twin)[:3] == [1 << 22 | 23 << 12 | 1 << 11 | 22, 1 << 11 | 23, 1 << 11]


def test_the_fpscr_of_a_thread_survives_an_interrupt(boot: Boot) -> None:
    source = """
        void svcall(void) {}
        void main(void) { uint32_t v = 0x00C00000; __asm volatile("vmsr fpscr, %0\\n svc 0\\n b 1f\\n"
            "1: vmov s0, %0\\n vmrs %0, fpscr" : "+r"(v) :: "s0"); out[0] = v; }
    """
    twin = boot(source)
    twin.run(0.001)
    assert words(twin)[0] == 0x00C0_0000
