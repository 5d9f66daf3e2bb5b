"""Random numbers, the CRC unit and the window watchdog, as firmware sees them."""

from __future__ import annotations

import binascii

import pytest

from hil.twin import StopReason
from hil_tests.twin.chip import CHIP
from hil_tests.twin.conftest import Boot, words
from hil_tests.twin.firmware import CLOCK_216_MHZ

pytestmark = pytest.mark.twin

DRAW = (
    CHIP
    + CLOCK_216_MHZ
    + """
    static volatile uint32_t *const kept = (uint32_t *)0x2004F000;
    static void drawn(void) { kept[kept[0]++ & 15] = RNG(8); out[15]++; if (kept[0] == 9) RNG(0) = 0; }
    void main(void) {
        clock_216(); RCC_AHB2ENR |= 1 << 6; RNG(0) = 1 << 2; kept[0] = 1;
        for (int i = 0; i < 8; i++) { while (!(RNG(4) & 1)) {} out[i] = RNG(8); }
        out[8] = RNG(4); out[9] = RNG(8);
        on_irq(80, drawn); RNG(0) = 1 << 2 | 1 << 3;
        while (kept[0] < 9) WFI();
        out[10] = 1;
    }
"""
)


def test_random_numbers_repeat_from_run_to_run_but_not_within_one(boot: Boot) -> None:
    runs = []
    for _ in range(2):
        twin = boot(DRAW)
        twin.run(0.001)
        w = words(twin)
        drawn = [int.from_bytes(twin.read(0x2004_F004 + 4 * i, 4), "little") for i in range(8)]
        assert w[8:11] == [0, 0, 1], "nothing to read between two numbers"
        assert w[15] == 8
        runs.append(w[:8] + drawn)
        bits = sum(number.bit_count() for number in runs[-1])
        assert len(set(runs[-1])) == 16
        assert 200 < bits < 312, "512 bits, half of them set"
    assert runs[0] == runs[1]


def test_a_number_takes_40_clocks_of_48_mhz(boot: Boot) -> None:
    source = """
        void main(void) { clock_216(); RCC_AHB2ENR |= 1 << 6; SYST_RVR = 0xFFFFFF; SYST_CVR = 0; SYST_CSR = 5;
            RNG(0) = 1 << 2; uint32_t from = SYST_CVR;
            while (!(RNG(4) & 1)) {} out[0] = (from - SYST_CVR) & 0xFFFFFF; }
    """
    twin = boot(CHIP + CLOCK_216_MHZ + source)
    twin.run(0.001)
    assert words(twin)[0] == pytest.approx(40 * 216 / 48, abs=20)


def test_without_its_clock_the_generator_reports_a_clock_error(boot: Boot) -> None:
    source = """
        void main(void) { RCC_AHB2ENR |= 1 << 6; RNG(0) = 1 << 2; for (int i = 0; i < 999; i++) ASM("nop");
            out[0] = RNG(4); RCC_PLLCFGR = 25 | 432 << 6 | 9 << 24 | 1 << 22; RCC_CR |= 1 << 16;
            RCC_CR |= 1 << 24; for (int i = 0; i < 999; i++) ASM("nop"); out[1] = RNG(4); RNG(4) = 0;
            out[2] = RNG(4); }
    """
    twin = boot(CHIP + source)
    twin.run(0.01)
    assert words(twin)[:3] == [0x22, 0x21, 0x01]


def test_crc_of_words_bytes_and_the_usual_variants(boot: Boot) -> None:
    source = """
        static const char text[] = "123456789";
        static uint32_t feed(void) { for (int i = 0; i < 9; i++) CRC_DR8 = text[i]; return CRC(0); }
        void main(void) {
            RCC_AHB1ENR |= 1 << 12;
            CRC(8) = 1; CRC(0) = 0x12345678; out[0] = CRC(0);
            CRC(8) = 1; out[1] = feed();                                     /* CRC-32/MPEG-2 */
            CRC(8) = 1 << 5 | 1 << 7 | 1; out[2] = ~feed();                  /* CRC-32 */
            CRC(0x14) = 0x1021; CRC(0x10) = 0xFFFF; CRC(8) = 1 << 3 | 1; out[3] = feed(); /* CCITT-FALSE */
            CRC(0x14) = 0x8005; CRC(8) = 1 << 3 | 1 << 5 | 1 << 7 | 1; out[4] = feed();   /* MODBUS */
            CRC(0x14) = 0x07; CRC(0x10) = 0; CRC(8) = 2 << 3 | 1; out[5] = feed();        /* CRC-8 */
            CRC(0x14) = 0x09; CRC(8) = 3 << 3 | 1; out[6] = feed();                       /* CRC-7/MMC */
            CRC(0x14) = 0x04C11DB7; CRC(0x10) = 0xFFFFFFFF; CRC(8) = 1;
            CRC_DR16 = 0x3132; CRC_DR16 = 0x3334; out[7] = CRC(0);
            CRC(4) = 0xABCD; out[8] = CRC(4); CRC(8) = 1; out[9] = CRC(4); out[10] = CRC(0);
        }
    """
    twin = boot(CHIP + source)
    twin.run(0.001)
    assert words(twin)[:11] == [
        0xDF8A_8A2B, 0x0376_E6E7, binascii.crc32(b"123456789"), 0x29B1, 0x4B37, 0xF4, 0x75,
        _mpeg2(b"1234"), 0xCD, 0xCD, 0xFFFF_FFFF,
    ]  # fmt: skip


def _mpeg2(data: bytes) -> int:
    crc = 0xFFFF_FFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C1_1DB7 if crc >> 31 else 0)) & 0xFFFF_FFFF
    return crc


WINDOW = (
    CHIP
    + """
    static volatile uint32_t *const kept = (uint32_t *)0x2004F000;
    static void early(void) { WWDG(8) = 0; kept[1]++; if (kept[1] < 4) WWDG(0) = 0xFF; }
    void main(void) {
        kept[0]++; kept[2] = RCC_CSR; if (kept[0] > 1) for (;;) WFI();
        RCC_APB1ENR |= 1 << 11; WWDG(4) = 0x7F | 1 << 7 | 1 << 9; WWDG(0) = 0xFF;
        on_irq(0, early);
        for (;;) WFI();
    }
"""
)


def test_the_early_warning_comes_a_step_before_the_reset(boot: Boot) -> None:
    twin = boot(WINDOW)
    stop = twin.run(1.0)
    step_s = 4096 * 2 / 16e6
    assert (stop.reason, stop.detail) == (StopReason.RESET, "window watchdog")
    assert stop.now_s == pytest.approx((4 * (0x7F - 0x40) + 1) * step_s, abs=1e-4)
    twin.run(twin.now_s + 0.001)
    kept = [int.from_bytes(twin.read(0x2004_F000 + 4 * i, 4), "little") for i in range(3)]
    assert kept[:2] == [2, 4]
    assert kept[2] >> 30 & 1 == 1


@pytest.mark.parametrize(("fed_at", "resets"), [("0x60", False), ("0x61", True)])
def test_feeding_before_the_window_opens_resets(boot: Boot, fed_at: str, resets: bool) -> None:
    source = f"""
        void main(void) {{
            RCC_APB1ENR |= 1 << 11; WWDG(4) = 0x60; WWDG(0) = 0xFF;
            while ((WWDG(0) & 0x7F) > {fed_at}) {{}} WWDG(0) = 0x7F; for (;;) WFI(); }}
    """
    twin = boot(CHIP + source)
    stop = twin.run(0.01)
    assert (stop.reason is StopReason.RESET) == resets
