"""Stop and Standby: what stands still, what wakes, how long it takes, and what is left."""

from __future__ import annotations

import pytest

from hil.twin import StopReason
from hil_tests.twin.chip import CHIP
from hil_tests.twin.conftest import Boot, words
from hil_tests.twin.firmware import CLOCK_216_MHZ

pytestmark = pytest.mark.twin

STOP = (
    CHIP
    + CLOCK_216_MHZ
    + """
    #define TIM2(r) REG(0x40000000 + (r))
    static void pressed(void) { EXTI(0x14) = 1; out[0]++; }
    void systick(void) { out[1]++; }
    void main(void) {
        clock_216(); RCC_AHB1ENR |= 1; RCC_APB1ENR |= 1;
        TIM2(0x28) = 107; TIM2(0x14) = 1; TIM2(0) = 1;
        SYST_RVR = 215999; SYST_CVR = 0; SYST_CSR = 7; while (out[1] < 2) {}
        EXTI(0) = 1; EXTI(8) = 1; on_irq(6, pressed);
        PWR_CR1 = (PWR_CR1 & ~0xFu) | MODE;
        out[2] = TIM2(0x24); SCB_SCR = 4; ENTRY; SCB_SCR = 0; out[3] = TIM2(0x24);
        out[4] = RCC_CFGR & 0xF; out[5] = RCC_CR >> 16 & 0x303; out[6] = PWR_CR1 >> 16 & 3; out[7] = out[1];
        out[8] = 1; for (;;) WFI();
    }
"""
)


def stop_source(mode: str = "0", entry: str = "WFI()") -> str:
    return f"#define MODE {mode}\n#define ENTRY {entry}\n{STOP}"


def test_in_stop_the_clocks_stand_still_and_hsi_comes_back(boot: Boot) -> None:
    twin = boot(stop_source())
    twin.run(1.0)
    assert (twin.sleeping, words(twin)[8]) == (True, 0)
    cycles = twin.cycles + twin.sleep_cycles
    twin.run(2.0)
    assert twin.now_s == 2.0
    assert twin.cycles + twin.sleep_cycles == cycles
    twin.gpio("A").drive(0, True)
    twin.run(2.0001)
    w = words(twin)
    assert (w[0], w[7], w[8]) == (1, 2, 1), "SysTick did not count"
    assert 0 <= w[3] - w[2] <= 10, "nor did TIM2"
    assert w[4:7] == [0, 0, 0], "HSI, no HSE, no PLL, no over-drive"
    assert twin.hclk_hz == 16_000_000


@pytest.mark.parametrize(
    ("mode", "latency_us"), [("0", 14), ("1", 22), ("1 | 1 << 9", 108), ("3 << 18", 107)]
)
def test_the_wakeup_takes_its_time(boot: Boot, mode: str, latency_us: int) -> None:
    twin = boot(stop_source(mode))
    twin.run(1.0)
    twin.gpio("A").drive(0, True)
    twin.run(1.0 + (latency_us - 1) * 1e-6)
    assert words(twin)[0] == 0
    twin.run(1.0 + (latency_us + 9) * 1e-6)
    assert words(twin)[0] == 1


def test_the_uart_knows_when_a_byte_left_before_the_stop(boot: Boot) -> None:
    source = """
        static void pressed(void) { EXTI(0x14) = 1; USART1_TDR = 'b'; }
        void main(void) { uart_on(139, 0, 0); RCC_AHB1ENR |= 1; EXTI(0) = 1; EXTI(8) = 1; on_irq(6, pressed);
            USART1_TDR = 'a'; while (!(USART1_ISR & 1 << 6)) {} SCB_SCR = 4; WFI(); SCB_SCR = 0;
            for (;;) WFI(); }
    """
    twin = boot(CHIP + source)
    twin.run(1.0)
    twin.gpio("A").drive(0, True)
    twin.run(1.1)
    first, second = twin.uart(1).take()
    byte_s = 10 * 139 / 16e6
    assert first.ended_s < 2 * byte_s
    assert second.ended_s == pytest.approx(1.0 + 14e-6 + byte_s, abs=2e-5)


def test_an_interrupt_that_is_pending_keeps_the_core_out_of_stop(boot: Boot) -> None:
    twin = boot(stop_source(entry='NVIC_ISPR(0) = 1 << 6; ASM("cpsid i"); WFI(); ASM("cpsie i")'))
    twin.run(0.1)
    w = words(twin)
    assert w[8] == 1
    assert w[4] == 0xA, "still on the PLL"


def test_wfe_leaves_stop_on_an_event_line(boot: Boot) -> None:
    entry = 'EXTI(0) = 0; EXTI(4) = 1; ASM("sev\\n wfe\\n wfe")'
    twin = boot(stop_source(entry=entry))
    twin.run(1.0)
    assert words(twin)[8] == 0
    twin.gpio("A").drive(0, True)
    twin.run(1.001)
    assert words(twin)[8] == 1
    assert words(twin)[0] == 0


def test_the_watchdog_bites_in_stop(boot: Boot) -> None:
    twin = boot(stop_source(entry="IWDG_KR = 0xCCCC; WFI()"))
    stop = twin.run(1.0)
    assert (stop.reason, stop.detail) == (StopReason.RESET, "independent watchdog")
    assert stop.now_s == pytest.approx(0.002 + 4096 * 4 / 32_000, abs=0.001)


STANDBY = (
    CHIP
    + """
    static volatile uint32_t *const kept = (uint32_t *)0x2004F000;
    void main(void) {
        RCC_AHB1ENR |= 1 << 18 | 7; backup_writable();
        out[0] = ++RTC_BKP(0); out[1] = PWR_CSR1 & 3; out[2] = PWR_CSR2 & 0x3F; out[3] = RCC_CSR >> 25;
        out[4] = kept[0]; out[5] = BKPSRAM(0); kept[0] = 77; BKPSRAM(0) = 88; PWR_CSR1 = KEEP;
        PWR_CR2 = 0x3F | POLARITY; PWR_CSR2 = 2 << 8; PWR_CR1 |= 1 << 3 | 1 << 1; RCC_CSR |= 1 << 24;
        out[6] = PWR_CSR1 & 2; out[7] = PWR_CSR2 & 0x3F;
        SCB_SCR = 4; WFI(); out[8] = 1;
    }
"""
)


@pytest.mark.parametrize("kept", [False, True])
def test_standby_loses_ram_keeps_the_backup_domain_and_says_so(boot: Boot, kept: bool) -> None:
    twin = boot(f"#define KEEP {'1 << 9' if kept else '0'}\n#define POLARITY 0\n{STANDBY}")
    twin.run(1.0)
    assert words(twin)[:4] == [1, 0, 0, 0b111]
    assert words(twin)[6:9] == [0, 0, 0]
    twin.gpio("A").drive(2, True)
    stop = twin.run(2.0)
    assert stop.reason is StopReason.RESET
    assert stop.now_s == pytest.approx(1.0 + 308e-6)
    twin.run(2.0)
    assert words(twin)[:6] == [2, 2, 2, 0, 0, 88 if kept else 0]
    assert words(twin)[6:9] == [0, 0, 0]


def test_a_falling_wakeup_pin_wakes_when_firmware_says_so(boot: Boot) -> None:
    twin = boot(f"#define KEEP 0\n#define POLARITY 1 << 9\n{STANDBY}")
    twin.gpio("A").drive(2, True)
    twin.run(1.0)
    twin.gpio("A").drive(2, False)
    assert twin.run(2.0).reason is StopReason.RESET


def test_lptim1_on_lse_counts_through_stop_and_ends_it(boot: Boot) -> None:
    source = (
        CHIP
        + """
        #define LPTIM(r) REG(0x40002400 + (r))
        static void matched(void) { LPTIM(4) = 1; EXTI(0x14) = 1 << 23; out[0]++; }
        void main(void) {
            RCC_APB1ENR |= 1 << 28 | 1 << 9; PWR_CR1 |= 1 << 8; REG(0x40023870) = 1;
            while (!(REG(0x40023870) & 2)) {}
            REG(0x40023890) = 3 << 24;
            EXTI(0) = 1 << 23; EXTI(8) = 1 << 23; on_irq(93, matched);
            LPTIM(8) = 1; LPTIM(0x10) = 1; LPTIM(0x18) = 0xFFFF; LPTIM(0x14) = 16384;
            LPTIM(0x10) = 5;
            PWR_CR1 &= ~0xFu; SCB_SCR = 4;
            while (!out[0]) WFI();
            out[1] = LPTIM(0x1C);
            for (;;) {}
        }
        """
    )
    twin = boot(source)
    twin.run(0.45)
    assert (words(twin)[0], twin.sleeping) == (0, True)
    before = twin.cycles
    twin.run(0.55)
    assert words(twin)[0] == 1
    assert 16384 <= words(twin)[1] < 16400
    assert twin.cycles - before < 0.06 * 16e6, "the core stood still until half a second had passed"
