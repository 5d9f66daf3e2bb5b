"""Peripherals: clocks, timers, watchdog and identity, as firmware sees them."""

from __future__ import annotations

import pytest

from hil.twin import StopReason
from hil_tests.twin.conftest import Boot, words
from hil_tests.twin.firmware import CLOCK_216_MHZ, DMA

pytestmark = pytest.mark.twin


def test_the_clock_tree_follows_what_firmware_writes(boot: Boot) -> None:
    twin = boot(CLOCK_216_MHZ + "void main(void) { clock_216(); out[0] = 1; }")
    twin.run(0.001)
    tree = twin._machine.tree
    assert words(twin)[0] == 1
    assert (twin.hclk_hz, tree.pclk1_hz, tree.pclk2_hz) == (216_000_000, 54_000_000, 108_000_000)
    assert twin.warnings == []


def test_a_clock_too_fast_for_flash_and_regulator_is_a_warning(boot: Boot) -> None:
    source = """
        void main(void) { RCC_CR |= 1 << 16; RCC_PLLCFGR = 25 | 432 << 6 | 1 << 22; RCC_CR |= 1 << 24;
            RCC_CFGR = 5 << 10 | 4 << 13 | 2; }
    """
    twin = boot(source)
    twin.run(0.001)
    assert any("wait states" in warning for warning in twin.warnings)
    assert any("over-drive" in warning for warning in twin.warnings)


def test_without_a_crystal_hse_never_gets_ready(boot: Boot) -> None:
    twin = boot("void main(void) { RCC_CR |= 1 << 16; out[0] = RCC_CR >> 16 & 3; }", hse_hz=0)
    twin.run(0.001)
    assert words(twin)[0] == 1


def test_systick_keeps_its_rate_over_a_change_of_clock(boot: Boot) -> None:
    source = (
        CLOCK_216_MHZ
        + """
        void systick(void) { out[0]++; }
        void main(void) { clock_216(); SYST_RVR = 216000 - 1; SYST_CVR = 0; SYST_CSR = 7; for (;;) WFI(); }
    """
    )
    twin = boot(source)
    twin.run(0.5005)
    assert words(twin)[0] == 500


def test_systick_counts_down_and_flags_its_wrap(boot: Boot) -> None:
    source = """
        void main(void) {
            SYST_RVR = 999; SYST_CVR = 0; SYST_CSR = 5;
            while (!(SYST_CSR & 1 << 16)) {}
            out[0] = SYST_CVR; for (int i = 0; i < 20; i++) ASM("nop"); out[1] = SYST_CVR;
            out[2] = SYST_CSR >> 16 & 1;
        }
    """
    twin = boot(source)
    twin.run(0.001)
    first, later, flag, *_ = words(twin)
    assert 950 < first < 1000
    assert 15 < first - later < 60
    assert flag == 0


def test_the_cycle_counter_needs_trace_and_unlock(boot: Boot) -> None:
    source = (
        DMA
        + """
        void main(void) {
            DEMCR |= 1 << 24; DWT_CTRL |= 1; out[0] = DWT_CTRL & 1; cycles_on(); DWT_CYCCNT = 0;
            uint32_t from = DWT_CYCCNT;
                __asm volatile("movw r0, #10000\\n 1: subs r0, #1\\n bne 1b" ::: "r0", "cc");
                    out[1] = DWT_CYCCNT - from;
        }
    """
    )
    twin = boot(source)
    twin.run(0.01)
    locked, cycles = words(twin)[:2]
    assert locked == 0
    assert cycles == pytest.approx(20_000 * 0.78, abs=20)


@pytest.mark.parametrize("debug_sleep", [0, 1])
def test_the_cycle_counter_stands_still_in_sleep_unless_dbgmcu_says_otherwise(
    boot: Boot, debug_sleep: int
) -> None:
    source = (
        DMA
        + f"""
        void systick(void) {{ out[0]++; }}
        void main(void) {{ REG(0xE0042004) = {debug_sleep}; cycles_on(); SYST_RVR = 15999;
            SYST_CVR = 0; SYST_CSR = 7; DWT_CYCCNT = 0; WFI(); out[1] = DWT_CYCCNT; }}
    """
    )
    twin = boot(source)
    twin.run(0.0015)
    assert (words(twin)[1] > 15_000) == bool(debug_sleep)


def test_the_watchdog_resets_a_hung_core_and_a_fed_one_lives(boot: Boot) -> None:
    source = """
        uint32_t *const kept = (uint32_t *)0x2004F000;
        void main(void) {
            kept[0]++; kept[1] = RCC_CSR;
            IWDG_KR = 0x5555; IWDG_PR = 0; IWDG_RLR = 79; IWDG_KR = 0xCCCC;
            for (int k = 0; k < 10; k++) { for (int i = 0; i < 20000; i++) ASM("nop"); IWDG_KR = 0xAAAA; }
            for (;;) ASM("nop");
        }
    """
    twin = boot(source)
    stop = twin.run(1.0)
    assert (stop.reason, stop.detail) == (StopReason.RESET, "independent watchdog")
    fed_s = 10 * 20_000 * 3 * 0.78 / 16e6
    assert stop.now_s == pytest.approx(fed_s + 0.010, rel=0.35)
    twin.run(twin.now_s + 0.001)
    kept = twin.read(0x2004_F000, 8)
    assert (kept[0], kept[7] >> 5 & 1) == (2, 1)


def test_tim5_counts_microseconds_and_compares(boot: Boot) -> None:
    source = """
        #define TIM5(r) REG(0x40000C00 + (r))
        void irq50(void) { TIM5(0x10) = ~2u; out[0]++; out[1] = TIM5(0x24); }
        void main(void) {
            RCC_APB1ENR |= 1 << 3; TIM5(0x28) = 15; TIM5(0x14) = 1; TIM5(0x34) = 500; TIM5(0x10) = 0;
                TIM5(0x0C) = 2; NVIC_ISER(1) = 1 << 18; TIM5(0) = 1;
            WFI(); while (TIM5(0x24) < 700) {} out[2] = 1;
        }
    """
    twin = boot(source)
    twin.run(0.002)
    assert words(twin)[:3] in ([1, 500, 1], [1, 501, 1])
    assert twin.now_s >= 0.0007


def test_gpio_stores_sets_and_resets(boot: Boot) -> None:
    source = """
        #define GPIOI(r) REG(0x40022000 + (r))
        void main(void) { RCC_AHB1ENR |= 1 << 8; GPIOI(0) = 1 << 2; GPIOI(0x18) = 1 << 1;
            out[0] = GPIOI(0x10); GPIOI(0x18) = 1 << 17; out[1] = GPIOI(0x14);
            *(volatile uint16_t *)0x40022018 = 3; out[2] = GPIOI(0x14); }
    """
    twin = boot(source)
    twin.run(0.001)
    assert words(twin)[:3] == [2, 0, 3]


def test_the_device_tells_who_it_is(boot: Boot) -> None:
    source = """
        void main(void) { out[0] = REG(0xE0042000); out[1] = REG(0xE000ED00); REG(0xE000ED84) = 0;
            out[2] = REG(0xE000ED80); REG(0xE000ED84) = 1; out[3] = REG(0xE000ED80); REG(0xE000EF5C) = 0; }
    """
    twin = boot(source)
    twin.run(0.001)
    assert words(twin)[:4] == [0x1001_6449, 0x410F_C271, 0xF003_E019, 0xF007_E009]


def test_an_unmodelled_peripheral_reads_zero_stores_and_warns_once(boot: Boot) -> None:
    seen: list[str] = []
    twin = boot(
        """
        void main(void) { for (int i = 0; i < 3; i++) { out[i] = REG(0x50060800); REG(0x50060800) = 5; } }
    """,
        on_warning=seen.append,
    )
    twin.run(0.001)
    assert words(twin)[:3] == [0, 5, 5]
    assert seen == twin.warnings == ["RNG+0x00 (0x50060800) is not modelled"]


def test_a_peripheral_without_its_clock_reads_zero_and_warns(boot: Boot) -> None:
    twin = boot("void main(void) { USART1_BRR = 16; out[0] = USART1_BRR + 1; }")
    twin.run(0.001)
    assert words(twin)[0] == 1
    assert "USART1 is used while its clock" in twin.warnings[0]


def test_brr_cannot_be_changed_while_the_port_is_on(boot: Boot) -> None:
    twin = boot("void main(void) { uart_on(16, 0, 0); USART1_BRR = 139; out[0] = USART1_BRR; }")
    twin.run(0.001)
    assert words(twin)[0] == 16
    assert "BRR" in twin.warnings[0]
