"""ITM, DWT, FPB and the ROM tables, as firmware and a debugger's walk see them."""

from __future__ import annotations

import pytest

from hil_tests.twin.conftest import Boot, words

pytestmark = pytest.mark.twin

ITM_ON = """
    DEMCR |= 1 << 24; REG(0xE0000FB0) = 0xC5ACCE55; REG(0xE0000E80) = 0x10005; REG(0xE0000E00) = 1;
"""
SEND = """
    static void send(const char *s) { for (; *s; s++) { while (!REG(0xE0000000)) {}
        *(volatile uint8_t *)0xE0000000 = *s; } }
"""


def test_bytes_to_port_0_reach_the_host(boot: Boot) -> None:
    twin = boot(f'{SEND} void main(void) {{ {ITM_ON} send("hi\\n"); REG(0xE0000000) = 0x64636261; }}')
    twin.run(0.001)
    assert twin.itm.take() == b"hi\nabcd"
    assert twin.itm.take() == b""


def test_a_disabled_port_is_never_ready_and_sends_nothing(boot: Boot) -> None:
    twin = boot("""
        void main(void) { DEMCR |= 1 << 24; REG(0xE0000E80) = 1; out[0] = REG(0xE0000E80);
            REG(0xE0000FB0) = 0xC5ACCE55; REG(0xE0000E80) = 1; out[1] = REG(0xE0000E80);
            out[2] = REG(0xE0000000); *(volatile uint8_t *)0xE0000000 = 'x'; out[3] = REG(0xE0000FB4); }
    """)
    twin.run(0.001)
    assert words(twin)[:4] == [0, 1, 0, 1]
    assert twin.itm.take() == b""


def test_a_viewer_that_watches_enables_the_port(boot: Boot) -> None:
    twin = boot(f'{SEND} void main(void) {{ send("seen"); }}')
    seen: list[bytes] = []
    twin.itm.on_bytes = seen.append
    twin.itm.watch()
    twin.run(0.001)
    assert b"".join(seen) == b"seen"


def test_a_walk_over_the_rom_tables_finds_every_component(boot: Boot) -> None:
    bus = boot("void main(void) {}").bus

    def part(base: int) -> int:
        ids = [bus.read(base + 0xFE0 + 4 * i, 4) for i in range(4)]
        assert [bus.read(base + 0xFF0 + 4 * i, 4) & 0xF for i in range(4)] == [0xD, 0x0, 0x5, 0x1]
        return ids[0] | (ids[1] & 0xF) << 8

    def walk(base: int) -> dict[int, int]:
        found = {base: part(base)}
        if bus.read(base + 0xFF4, 4) >> 4 == 1:
            for offset in range(0, 0x100, 4):
                entry = bus.read(base + offset, 4)
                if entry & 1:
                    found |= walk((base + (entry & 0xFFFF_F000)) & 0xFFFF_FFFF)
        return found

    assert walk(0xE00F_D000) == {
        0xE00F_D000: 0x449, 0xE00F_E000: 0x4C8, 0xE00F_F000: 0x4C7, 0xE000_E000: 0x00C, 0xE000_1000: 0x002,
        0xE000_2000: 0x00E, 0xE000_0000: 0x001, 0xE004_1000: 0x975, 0xE004_0000: 0x9A9,
    }  # fmt: skip


def test_breakpoint_comparators_keep_what_a_debugger_writes(boot: Boot) -> None:
    twin = boot("void main(void) { out[0] = REG(0xE0002000); REG(0xE0002008) = 0x08000101; }")
    twin.run(0.001)
    assert words(twin)[0] == 0x1000_0080
    fpb = next(p for p in twin.peripherals.all if p.name == "FPB")
    twin._machine.debugger_access = True
    for address, value in ((0xE000_2000, 3), (0xE000_2008, 0x0800_0101), (0xE000_2024, 0x2000_0003)):
        twin.bus.write(address, 4, value)
    assert fpb.addresses == {0x0800_0100, 0x2000_0002}  # type: ignore[attr-defined]
    twin.bus.write(0xE000_2000, 4, 0)
    assert fpb.addresses, "FP_CTRL needs its key"  # type: ignore[attr-defined]


def test_exception_and_sleep_counters_count(boot: Boot) -> None:
    twin = boot("""
        void svcall(void) {}
        void main(void) { DEMCR |= 1 << 24; DWT_LAR = 0xC5ACCE55; DWT_CTRL |= 3 << 18;
            ASM("svc 0\\n svc 0"); out[0] = REG(0xE000100C); out[1] = REG(0xE0001010);
            REG(0xE0001020) = 0x1234; out[2] = REG(0xE0001020); }
    """)
    twin.run(0.001)
    assert words(twin)[:3] == [24, 0, 0x1234]
