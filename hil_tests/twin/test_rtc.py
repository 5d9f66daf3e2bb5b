"""The real-time clock and the backup domain: handshakes, calendar, wake-ups, alarms, what survives."""

from __future__ import annotations

import pytest

from hil.twin import ResetCause, StopReason
from hil_tests.twin.chip import CHIP
from hil_tests.twin.conftest import Boot, words

pytestmark = pytest.mark.twin

LSE, LSI, HSE = 1, 2, 3
PRESCALERS = {LSI: (127, 249), HSE: (99, 9999)}


@pytest.mark.parametrize(("source", "a", "s"), [(LSE, 0, 15), (LSI, 1, 9), (HSE, 9, 49)])
def test_the_calendar_runs_from_each_clock(boot: Boot, source: int, a: int, s: int) -> None:
    """Prescalers far too small make a second of the calendar last half a millisecond."""
    code = f"""
        void main(void) {{
            RCC_CR |= 1 << 16; RCC_CFGR |= 25 << 16; rtc_on({source});
            RTC_ISR |= 1 << 7; while (!(RTC_ISR & 1 << 6)) {{}}
            RTC_PRER = {s}; RTC_PRER |= {a} << 16;
            rtc_set(0x235958, 0x24 << 16 | 4 << 13 | 0x0228);
            for (int i = 0; i < 4; i++) {{ out[3 * i] = RTC_SSR; out[3 * i + 1] = RTC_TR;
                out[3 * i + 2] = RTC_DR; while (RTC_TR == out[3 * i + 1]) (void)RTC_DR; (void)RTC_DR; }}
            out[12] = RTC_ISR; out[13] = RTC_PRER;
        }}
    """
    twin = boot(CHIP + code)
    twin.run(0.005)
    w = words(twin)
    assert w[1:12:3] == [0x23_5958, 0x23_5959, 0x00_0000, 0x00_0001]
    assert w[2:12:3] == [0x24_8228, 0x24_8228, 0x24_A229, 0x24_A229], "Thursday becomes Friday, a leap day"
    assert all(s - 1 <= sub_second <= s for sub_second in w[3:12:3])
    assert w[12] & 0x10, "INITS"
    assert w[13] == a << 16 | s


def test_writes_need_dbp_and_the_keys_and_the_initialisation_mode(boot: Boot) -> None:
    code = """
        void main(void) {
            RTC_BKP(5) = 7; RCC_BDCR = 1; out[0] = RCC_BDCR; backup_writable();
            out[1] = RTC_BKP(5); RTC_BKP(5) = 7; out[2] = RTC_BKP(5);
            rtc_on(1); RTC_WPR = 0; RTC_WUTR = 5; out[3] = RTC_WUTR; RTC_WPR = 0xCA; RTC_WPR = 0x54;
            RTC_WUTR = 5; out[4] = RTC_WUTR; rtc_unlock(); RTC_WUTR = 5; out[5] = RTC_WUTR;
            RTC_TR = 0x111111; out[6] = RTC_TR; (void)RTC_DR;
            out[7] = RTC_ISR & 0x47; RTC_ISR |= 1 << 7; out[8] = RTC_ISR >> 6 & 3;
            while (!(RTC_ISR & 1 << 6)) {} out[9] = RTC_ISR >> 6 & 3;
        }
    """
    twin = boot(CHIP + code)
    twin.run(0.01)
    assert words(twin)[:10] == [0, 0, 7, 0xFFFF, 0xFFFF, 5, 0, 7, 2, 3]


def test_reading_the_time_holds_the_date_until_it_is_read(boot: Boot) -> None:
    code = """
        void systick(void) { }
        void main(void) { rtc_on(1); rtc_set(0x235959, 0x012101); SYST_RVR = 0xEFFFFF; SYST_CSR = 7;
            out[0] = RTC_TR; WFI(); WFI();
            out[1] = RTC_TR; out[2] = RTC_DR; out[3] = RTC_TR; out[4] = RTC_DR; }
    """
    twin = boot(CHIP + code)
    twin.run(2.5)
    assert words(twin)[:5] == [0x23_5959, 0x00_0000, 0x01_2101, 0x00_0000, 0x01_4102]


WAKEUPS = (
    CHIP
    + """
    static void woken(void) { RTC_ISR = ~(1u << 10 | 1 << 7); EXTI(0x14) = 1 << 22; out[0]++; }
    static void wake_every(uint32_t select, uint32_t reload) {
        RTC_CR &= ~(1u << 10); while (!(RTC_ISR & 4)) {}
        RTC_WUTR = reload; RTC_CR = select; RTC_CR |= 1 << 14; RTC_CR |= 1 << 10;
        out[1] = RTC_ISR & 4;
        EXTI(0) |= 1 << 22; EXTI(8) |= 1 << 22; on_irq(3, woken);
    }
    void main(void) { rtc_on(1); wake_every(SELECT, RELOAD); for (;;) WFI(); }
"""
)


@pytest.mark.parametrize(
    ("select", "reload", "seconds", "expected"),
    [(0, 2047, 5.1, 5), (3, 15, 0.1, 102), (4, 1, 9.0, 4), (1, 4095, 3.1, 3)],
)
def test_the_wakeup_timer_interrupts_at_its_rate(
    boot: Boot, select: int, reload: int, seconds: float, expected: int
) -> None:
    twin = boot(f"#define SELECT {select}\n#define RELOAD {reload}\n{WAKEUPS}")
    twin.run(seconds)
    count, writable = words(twin)[:2]
    assert count == pytest.approx(expected, abs=1 if select == 3 else 0)
    assert writable == 0, "WUTWF is 0 while the timer runs"


def test_alarms_match_with_masks_and_sub_seconds(boot: Boot) -> None:
    code = """
        static void alarm(void) { uint32_t flags = RTC_ISR & 0x300; RTC_ISR = ~(flags | 1 << 7);
            EXTI(0x14) = 1 << 17; if (flags & 0x100) out[0]++; if (flags & 0x200) out[1]++;
            if (flags & 0x200 && out[1] == 1) { out[2] = RTC_TR; (void)RTC_DR; } }
        void main(void) {
            rtc_on(1); rtc_set(0x105957, 0x012101);
            RTC(0x1C) = 1u << 31 | 1 << 23 | 1 << 15 | 1 << 7; RTC(0x44) = 6 << 24 | 10;
            RTC(0x20) = 1u << 31 | 0x110000;                        /* B: 11:00:00 on any day */
            EXTI(0) = 1 << 17; EXTI(8) = 1 << 17; on_irq(41, alarm);
            RTC_CR = 1 << 8 | 1 << 9 | 1 << 12 | 1 << 13; out[3] = RTC_ISR & 3;
            for (;;) WFI();
        }
    """
    twin = boot(CHIP + code)
    twin.run(4.9)
    w = words(twin)
    assert w[1:4] == [1, 0x11_0000, 0]
    assert w[0] == pytest.approx(4 * 4.9, abs=1), "SSR % 64 == 10 four times a second"


def test_the_backup_domain_outlives_a_reset_and_not_a_power_on(boot: Boot) -> None:
    code = """
        void main(void) {
            RCC_AHB1ENR |= 1 << 18; backup_writable();
            out[0] = RTC_BKP(0); out[1] = RTC_BKP(31); out[2] = BKPSRAM(0x3FF); out[3] = RTC_TR; (void)RTC_DR;
            out[4] = RCC_BDCR; RTC_BKP(0) = 11; RTC_BKP(31) = 22; BKPSRAM(0x3FF) = 33;
            *(volatile uint8_t *)0x40024FFD = 0x44; out[5] = BKPSRAM(0x3FF);
            if (!(RCC_BDCR & 1 << 15)) { rtc_on(1); rtc_set(0x120000, 0x012101); }
        }
    """
    twin = boot(CHIP + code)
    twin.run(2.0)
    assert words(twin)[:6] == [0, 0, 0, 0, 0, 0x4421]
    twin.reset(ResetCause.PIN)
    twin.run(3.0)
    assert words(twin)[:5] == [11, 22, 0x4421, 0x12_0001, 0x8103]
    twin.reset(ResetCause.POWER_ON)
    twin.run(4.0)
    assert words(twin)[:5] == [0, 0, 0, 0, 0]


def test_bdrst_clears_the_domain_and_rtcsel_is_chosen_once(boot: Boot) -> None:
    code = """
        void main(void) { rtc_on(1); RTC_BKP(1) = 5; RCC_BDCR = 2 << 8 | 1; out[0] = RCC_BDCR;
            RCC_BDCR = 1 << 16; out[1] = RCC_BDCR; out[2] = RTC_BKP(1); RCC_BDCR = 0; RCC_BDCR = 2 << 8;
            out[3] = RCC_BDCR; }
    """
    twin = boot(CHIP + code)
    twin.run(0.001)
    assert words(twin)[:4] == [1 << 8 | 3, 1 << 16, 0, 2 << 8]


def test_a_stamp_keeps_the_time_of_an_edge_and_flags_a_second_one(boot: Boot) -> None:
    code = """
        static void stamp(void) { EXTI(0x14) = 1 << 21; out[0]++; }
        void systick(void) { }
        void main(void) { rtc_on(1); rtc_set(0x080000, 0x012101); EXTI(0) = 1 << 21; EXTI(8) = 1 << 21;
            RTC_CR = 1 << 11 | 1 << 15; on_irq(2, stamp); SYST_RVR = 999999; SYST_CSR = 7;
            for (;;) { WFI(); out[1] = RTC(0x30); out[2] = RTC(0x34); out[3] = RTC_ISR >> 11 & 3; } }
    """
    twin = boot(CHIP + code)
    twin.run(2.5)
    for level, flags in ((True, 1), (False, 1), (True, 3)):
        twin.gpio("C").drive(13, level)
        twin.run(twin.now_s + 1.0)
        assert words(twin)[:4] == [1, 0x08_0002, 0x2101, flags]


@pytest.mark.parametrize("rtc", [LSI, HSE])
def test_the_rtc_stops_in_stop_when_it_runs_on_hse(boot: Boot, rtc: int) -> None:
    code = f"""
        static void pressed(void) {{ EXTI(0x14) = 1; out[0]++; }}
        void main(void) {{ RCC_CR |= 1 << 16; RCC_CFGR |= 25 << 16; RCC_AHB1ENR |= 1; rtc_on({rtc});
            RTC_ISR |= 1 << 7; while (!(RTC_ISR & 1 << 6)) {{}}
            RTC_PRER = {PRESCALERS[rtc][1]}; RTC_PRER |= {PRESCALERS[rtc][0]} << 16;
            rtc_set(0, 0x012101); EXTI(0) = 1; EXTI(8) = 1; on_irq(6, pressed);
            SCB_SCR = 4; WFI(); out[1] = RTC_TR; SCB_SCR = 0; for (;;) WFI(); }}
    """
    twin = boot(CHIP + code)
    twin.run(3.5)
    twin.gpio("A").drive(0, True)
    assert twin.run(3.6).reason is StopReason.TIME
    assert words(twin)[:2] == ([1, 3] if rtc == LSI else [1, 0])
