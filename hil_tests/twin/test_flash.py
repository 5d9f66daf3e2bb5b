"""The flash controller (RM0385 chapter 3), as firmware sees it."""

from __future__ import annotations

import pytest

from hil.errors import TwinFault
from hil.twin import StopReason, Twin
from hil_tests.twin.conftest import Boot, words
from hil_tests.twin.firmware import FLASH

pytestmark = pytest.mark.twin

SECTOR_6 = 0x0808_0000


def ran(boot: Boot, source: str, until_s: float = 5.0) -> Twin:
    twin = boot(FLASH + source)
    twin.run(until_s)
    return twin


def outcome(boot: Boot, body: str) -> list[int]:
    """`out` after `body` ran from RAM with the controller unlocked."""
    return words(ran(boot, f"IN_RAM void go(void) {{ unlock(); {body} }} void main(void) {{ go(); }}"))


def test_the_controller_is_locked_until_both_keys_came(boot: Boot) -> None:
    source = """
        void main(void) { out[0] = FLASH_CR; FLASH_CR = 1; out[1] = FLASH_CR; FLASH_KEYR = 0x45670123;
            out[2] = FLASH_CR; FLASH_KEYR = 0xCDEF89AB; out[3] = FLASH_CR; FLASH_CR = 1; out[4] = FLASH_CR;
            FLASH_CR |= 1u << 31; out[5] = FLASH_CR; FLASH_CR = 0; out[6] = FLASH_CR; }
    """
    locked = 1 << 31
    assert words(ran(boot, source, 0.001))[:7] == [locked, locked, locked, 0, 1, locked | 1, locked | 1]


@pytest.mark.parametrize("register", ["FLASH_KEYR", "FLASH_OPTKEYR"])
def test_a_wrong_key_is_a_bus_fault_and_locks_until_the_next_reset(boot: Boot, register: str) -> None:
    twin = boot(FLASH + f"void main(void) {{ {register} = 1; }}")
    with pytest.raises(TwinFault, match="BusFault: write of 4 bytes at 0x40023c0"):
        twin.run(0.001)
    flash = twin._machine.flash
    keys = flash._keys if register == "FLASH_KEYR" else flash.options.keys
    assert not keys.write(keys._keys[0])
    twin.reset()
    assert keys.write(keys._keys[0])
    assert keys.write(keys._keys[1])
    assert not keys.locked


def test_programming_clears_bits_and_only_erasing_sets_them(boot: Boot) -> None:
    out = outcome(
        boot,
        """
        program(0x08080000, 0xFFFF00FF); program(0x08080000, 0x0FF0FFFF); out[0] = REG(0x08080000);
        out[1] = REG(0x00280000); program(0x08080004, 7); erase(6); out[2] = REG(0x08080000);
        out[3] = REG(0x08080004); out[4] = FLASH_SR;
        """,
    )
    assert out[:5] == [0x0FF0_00FF, 0x0FF0_00FF, 0xFFFF_FFFF, 0xFFFF_FFFF, 0]


def test_erasing_a_sector_leaves_its_neighbours(boot: Boot) -> None:
    starts = (0x0800_8000, 0x0801_0000, 0x0801_8000, 0x0802_0000, 0x0804_0000, SECTOR_6, 0x080C_0000)
    twin = boot(FLASH + "IN_RAM void go(void) { unlock(); erase(4); } void main(void) { go(); }")
    for start in starts:
        twin.write(start, bytes(4))
        twin.write(start - 4, bytes(4))
    twin.run(1.0)
    erased = {start for start in starts if twin.read(start, 4) == b"\xff" * 4}
    assert erased == {0x0802_0000}
    assert twin.read(0x0803_FFFC, 4) == b"\xff" * 4
    assert twin.read(0x0801_FFFC, 4) == bytes(4)


@pytest.mark.parametrize(
    ("control", "error"),
    [("0", 0xC0), ("X32", 0x80), ("X8 | 1", 0x40), ("X16 | 1", 0x40), ("X64 | 1", 0x40)],
)
def test_a_word_needs_the_right_control_bits(boot: Boot, control: str, error: int) -> None:
    out = outcome(
        boot,
        f"FLASH_CR = {control}; REG(0x08080000) = 0; out[0] = FLASH_SR; out[1] = REG(0x08080000);"
        "FLASH_SR = 0xF3; out[2] = FLASH_SR;",
    )
    assert out[:3] == [error, 0xFFFF_FFFF, 0]


def test_a_store_across_a_row_and_one_beside_its_place_are_refused(boot: Boot) -> None:
    out = outcome(
        boot,
        "FLASH_CR = X32 | 1; REG(0x0808000E) = 0; out[0] = FLASH_SR; FLASH_SR = 0xF3; REG(0x08080006) = 0;"
        "out[1] = FLASH_SR; out[2] = REG(0x08080004) & REG(0x08080008) & REG(0x0808000C) & REG(0x08080010);",
    )
    assert out[:3] == [0x20, 0x40, 0xFFFF_FFFF]


def test_two_errors_stand_side_by_side_and_are_cleared_by_ones(boot: Boot) -> None:
    out = outcome(
        boot,
        "FLASH_CR = X32; REG(0x08080000) = 0; FLASH_CR = X8 | 1; REG(0x08080000) = 0; out[0] = FLASH_SR;"
        "FLASH_SR = 0x40; out[1] = FLASH_SR;",
    )
    assert out[:2] == [0xC0, 0x80]


def test_a_stray_store_changes_nothing_and_is_told_once(boot: Boot) -> None:
    twin = ran(boot, "void main(void) { REG(0x08001000) = 1; REG(0x08001004) = 1; out[0] = FLASH_SR; }")
    assert words(twin)[0] == 0xC0
    assert twin.read(0x0800_1000, 8) == b"\xff" * 8
    assert [warning for warning in twin.warnings if "0x08001000" in warning] == twin.warnings


@pytest.mark.parametrize(
    ("psize", "sector", "milliseconds"),
    [(0, 1, 400), (1, 1, 250), (2, 1, 200), (3, 1, 180), (2, 4, 500), (2, 6, 1000), (0, 6, 2100)],
)
def test_a_sector_erase_takes_its_typical_time(
    boot: Boot, psize: int, sector: int, milliseconds: int
) -> None:
    twin = boot(
        FLASH
        + f"""
        IN_RAM void go(void) {{ unlock(); FLASH_CR = {psize} << 8 | 2 | {sector} << 3;
            FLASH_CR |= 1 << 16; out[0] = 1; ready(); out[0] = 2; }}
        void main(void) {{ go(); }}
        """
    )
    twin.run(milliseconds / 1000)
    assert words(twin)[0] == 1
    twin.run(milliseconds / 1000 + 0.0005)
    assert words(twin)[0] == 2


def test_a_mass_erase_takes_four_seconds_and_leaves_nothing(boot: Boot) -> None:
    twin = boot(
        FLASH
        + """
        IN_RAM void go(void) { unlock(); FLASH_CR = X32 | 4; FLASH_CR |= 1 << 16; ready(); out[0] = 1;
            for (;;) {} }
        void main(void) { go(); }
        """
    )
    twin.run(3.999)
    assert words(twin)[0] == 0
    twin.run(4.001)
    assert words(twin)[0] == 1
    assert twin.read(0x0800_0000, 1 << 20) == b"\xff" * (1 << 20)


def test_a_request_for_both_erases_does_neither(boot: Boot) -> None:
    out = outcome(
        boot,
        "program(0x08080000, 1); FLASH_CR = X32 | 4 | 2 | 6 << 3; FLASH_CR |= 1 << 16; out[0] = FLASH_SR;"
        "out[1] = REG(0x08080000);",
    )
    assert out[:2] == [0, 1]


def test_programming_takes_sixteen_microseconds_a_word(boot: Boot) -> None:
    source = """
        IN_RAM void go(void) { unlock(); FLASH_CR = X32 | 1;
            for (uint32_t i = 0; i < 1000; i++) { REG(0x08080000 + 4 * i) = i; ready(); } out[0] = 1; }
        void main(void) { go(); }
    """
    twin = boot(FLASH + source)
    twin.run(0.016)
    assert words(twin)[0] == 0
    twin.run(0.020)
    assert words(twin)[0] == 1
    assert int.from_bytes(twin.read(SECTOR_6 + 4 * 999, 4), "little") == 999


def test_stores_without_polling_are_held_by_the_bus(boot: Boot) -> None:
    source = """
        IN_RAM void go(void) { unlock(); FLASH_CR = X32 | 1;
            for (uint32_t i = 0; i < 1000; i++) REG(0x08080000 + 4 * i) = i;
            out[0] = 1; }
        void main(void) { go(); }
    """
    twin = boot(FLASH + source)
    twin.run(0.0158)
    assert words(twin)[0] == 0
    twin.run(0.0165)
    assert words(twin)[0] == 1


@pytest.mark.parametrize("timing", ["instructions", "exact"])
def test_a_load_from_busy_flash_waits(boot: Boot, timing: str) -> None:
    source = """
        IN_RAM void go(void) { unlock(); start_erase(6); for (volatile int i = 0; i < 100; i++) {}
            out[0] = 1; out[1] = REG(0x08080000); out[2] = FLASH_SR; out[3] = 1; for (;;) {} }
        void main(void) { go(); }
    """
    twin = boot(FLASH + source, timing=timing)
    twin.write(SECTOR_6, bytes(4))
    twin.run(0.999)
    assert words(twin)[:4] == [1, 0, 0, 0]
    twin.run(1.001)
    assert words(twin)[:4] == [1, 0xFFFF_FFFF, 0, 1]


@pytest.mark.parametrize("native", [True, False])
def test_code_in_busy_flash_waits_and_code_in_ram_does_not(boot: Boot, native: bool) -> None:
    source = """
        void (*volatile there)(void);
        __attribute__((noinline)) void in_flash(void) { out[1]++; }
        IN_RAM void go(void) { unlock(); there(); start_erase(6); out[0] = 1; there(); out[2] = 1; }
        void main(void) { there = in_flash; go(); for (;;) {} }
    """
    twin = boot(FLASH + source, native=native)
    twin.run(0.999)
    assert words(twin)[:3] == [1, 1, 0]
    twin.run(1.001)
    assert words(twin)[:3] == [1, 2, 1]


def test_interrupts_wait_for_busy_flash_unless_vector_and_handler_are_in_ram(boot: Boot) -> None:
    source = """
        static uint32_t table[128] __attribute__((aligned(512)));
        IN_RAM void ticked(void) { out[0]++; }
        void systick(void) { out[1]++; }
        IN_RAM void go(void) { unlock(); SYST_RVR = 15999; SYST_CVR = 0; SYST_CSR = 7;
            start_erase(5); ready(); out[2] = 1; table[15] = (uint32_t)ticked;
            SCB_VTOR = (uint32_t)table; start_erase(6); ready(); SYST_CSR = 0; out[3] = 1; }
        void main(void) { go(); }
    """
    counts = words(ran(boot, source, 3.0))
    assert counts[1] == 2  # the first tick's handler waited, and one tick came meanwhile
    assert counts[0] == pytest.approx(1000, abs=2)
    assert counts[2:4] == [1, 1]


def test_the_end_of_an_operation_is_an_interrupt_when_asked_for(boot: Boot) -> None:
    source = """
        void irq4(void) { out[0]++; out[1] = FLASH_SR; FLASH_SR = 1; }
        IN_RAM void go(void) { unlock(); NVIC_ISER(0) = 1 << 4; FLASH_CR = X32 | 2 | 6 << 3 | 1 << 24;
            FLASH_CR |= 1 << 16; WFI(); out[2] = FLASH_CR; }
        void main(void) { go(); }
    """
    twin = ran(boot, source, 0.999)
    assert words(twin)[0] == 0
    twin.run(1.001)
    assert words(twin)[:3] == [1, 1, 1 << 24 | 2 << 8 | 2 | 6 << 3]


def test_an_error_is_an_interrupt_when_asked_for(boot: Boot) -> None:
    source = """
        void irq4(void) { out[0]++; out[1] = FLASH_SR; FLASH_SR = 0xF2; }
        IN_RAM void go(void) { unlock(); NVIC_ISER(0) = 1 << 4; FLASH_CR = X16 | 1 | 1 << 25;
            REG(0x08080000) = 0; ready(); out[2] = FLASH_SR; }
        void main(void) { go(); }
    """
    assert words(ran(boot, source))[:3] == [1, 0x42, 0]


PROTECT = """
    FLASH_OPTKEYR = 0x08192A3B; FLASH_OPTKEYR = 0x4C5D6E7F;
    FLASH_OPTCR = (FLASH_OPTCR & ~(1 << 22)); FLASH_OPTCR |= 2; ready();
"""


def test_a_protected_sector_refuses_programming_and_erasing(boot: Boot) -> None:
    out = outcome(
        boot,
        PROTECT
        + """
        out[0] = FLASH_OPTCR >> 16 & 0xFF; program(0x08080000, 0); out[1] = FLASH_SR; FLASH_SR = 0xF3;
        erase(6); out[2] = FLASH_SR; FLASH_SR = 0xF3; FLASH_CR = X32 | 4; FLASH_CR |= 1 << 16; ready();
        out[3] = FLASH_SR; out[4] = REG(0x08080000); FLASH_SR = 0xF3; program(0x080C0000, 1);
        out[5] = FLASH_SR; out[6] = REG(0x080C0000);
        """,
    )
    assert out[:7] == [0xBF, 0x10, 0x10, 0x10, 0xFFFF_FFFF, 0, 1]


def test_option_bytes_need_their_keys_and_outlive_a_reset(boot: Boot) -> None:
    source = (
        """
        IN_RAM void go(void) { out[0] = FLASH_OPTCR; FLASH_OPTCR = 0; out[1] = FLASH_OPTCR;
        """
        + PROTECT
        + "} void main(void) { out[2] = FLASH_OPTCR >> 22 & 1; if (out[2]) go(); }"
    )
    twin = ran(boot, source)
    assert words(twin)[:2] == [0xC0FF_AAFD, 0xC0FF_AAFD]
    twin.reset()
    twin.run(twin.now_s + 0.001)
    assert words(twin)[2] == 0


def test_less_read_protection_erases_the_flash(boot: Boot) -> None:
    source = """
        IN_RAM void go(void) { FLASH_OPTKEYR = 0x08192A3B; FLASH_OPTKEYR = 0x4C5D6E7F;
            FLASH_OPTCR = 0xC0FF5500 | 2; ready(); out[0] = FLASH_OPTCR; out[1] = REG(0x08080000);
            FLASH_OPTCR = 0xC0FFAA00 | 2; ready(); out[2] = REG(0x08080000); for (;;) {} }
        void main(void) { go(); }
    """
    twin = boot(FLASH + source)
    twin.write(SECTOR_6, bytes(4))
    twin.run(6.0)
    assert words(twin)[:3] == [0xC0FF_5500, 0, 0xFFFF_FFFF]


def test_code_that_was_programmed_anew_runs_as_it_is_now(boot: Boot) -> None:
    source = """
        typedef uint32_t (*function_t)(void);
        IN_RAM static uint32_t ask(void) { return ((function_t)0x08080001)(); }
        IN_RAM void go(void) {
            unlock(); program(0x08080000, 0x4770201E); out[0] = ask(); out[1] = ask();
            program(0x08080000, 0x47702002); out[2] = ask();
            erase(6); program(0x08080000, 0x47702007); out[3] = ask();
        }
        void main(void) { go(); }
    """
    assert words(ran(boot, source))[:4] == [30, 30, 2, 7]


def test_a_watchdog_that_nobody_feeds_resets_in_the_middle_of_an_erase(boot: Boot) -> None:
    source = """
        IN_RAM void go(void) { unlock(); IWDG_KR = 0x5555; IWDG_PR = 0; IWDG_RLR = 799; IWDG_KR = 0xCCCC;
            start_erase(6); ready(); }
        void main(void) { go(); }
    """
    twin = boot(FLASH + source)
    stop = twin.run(2.0)
    assert (stop.reason, stop.detail) == (StopReason.RESET, "independent watchdog")
    assert stop.now_s == pytest.approx(0.1, rel=0.01)


def test_a_watchdog_that_is_fed_while_polling_lets_the_erase_finish(boot: Boot) -> None:
    source = """
        IN_RAM void go(void) { unlock(); IWDG_KR = 0x5555; IWDG_PR = 0; IWDG_RLR = 799; IWDG_KR = 0xCCCC;
            start_erase(6); do { IWDG_KR = 0xAAAA; } while (FLASH_SR & BSY); out[0] = 1;
            for (;;) IWDG_KR = 0xAAAA; }
        void main(void) { go(); }
    """
    twin = boot(FLASH + source)
    assert twin.run(1.01).reason is StopReason.TIME
    assert words(twin)[0] == 1
