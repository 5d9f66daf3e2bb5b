"""Pins, EXTI and SYSCFG: levels, pull resistors, edges, events, the lock of a port."""

from __future__ import annotations

import pytest

from hil_tests.twin.chip import CHIP
from hil_tests.twin.conftest import Boot, words

pytestmark = pytest.mark.twin

EDGES = (
    CHIP
    + """
    static void seen(void) { out[EXTI(0x14) & 1 << 11 ? 1 : 0]++; EXTI(0x14) = 1 << 11 | 1 << 3; }
    void main(void) {
        RCC_AHB1ENR |= 0x7FF; RCC_APB2ENR |= 1 << 14;
        SYSCFG(0x10) = 8 << 12;                    /* EXTI11 from port I */
        SYSCFG(0x08) = 1 << 12;                    /* EXTI3 from port B */
        EXTI(0x08) = 1 << 11 | 1 << 3; EXTI(0x0C) = 1 << 11; EXTI(0) = 1 << 11 | 1 << 3;
        on_irq(40, seen); on_irq(9, seen);
        out[2] = 1;
        for (;;) WFI();
    }
"""
)


def test_edges_that_the_host_drives_interrupt_on_the_line_of_the_chosen_port(boot: Boot) -> None:
    twin = boot(EDGES)
    twin.run(0.001)
    for level in (True, False, True, True):
        twin.gpio("I").drive(11, level)
        twin.gpio("A").drive(11, level)
        twin.run(twin.now_s + 0.001)
    assert words(twin)[:3] == [0, 3, 1]
    for level in (True, False, True):
        twin.gpio("B").drive(3, level)
        twin.run(twin.now_s + 0.001)
    assert words(twin)[:2] == [2, 3], "only rising edges of line 3"


def test_an_output_of_the_port_itself_raises_edges(boot: Boot) -> None:
    source = """
        static void seen(void) { out[0]++; EXTI(0x14) = 2; }
        void main(void) {
            RCC_AHB1ENR |= 1; RCC_APB2ENR |= 1 << 14; GPIO('A', 0) |= 1 << 2;
            EXTI(0x08) = 2; EXTI(0) = 2; on_irq(7, seen);
            for (int i = 0; i < 5; i++) { GPIO('A', 0x18) = 2; ASM("isb"); GPIO('A', 0x18) = 2 << 16; }
            EXTI(0) = 0; GPIO('A', 0x18) = 2; out[1] = EXTI(0x14); out[2] = GPIO('A', 0x10) & 2;
        }
    """
    twin = boot(CHIP + source)
    twin.run(0.001)
    assert words(twin)[:3] == [5, 2, 2], "a masked line still pends"


def test_the_software_event_pends_and_clearing_pr_clears_it(boot: Boot) -> None:
    source = """
        static void seen(void) { out[0]++; out[1] = EXTI(0x10); EXTI(0x14) = 1 << 22; }
        void main(void) { EXTI(0x10) = 1 << 5; out[3] = EXTI(0x14);
            EXTI(0) = 1 << 22; on_irq(3, seen); EXTI(0x10) = 1 << 22; ASM("isb"); out[2] = EXTI(0x10); }
    """
    twin = boot(CHIP + source)
    twin.run(0.001)
    assert words(twin)[:4] == [1, 1 << 22 | 1 << 5, 1 << 5, 0]


def test_an_event_line_wakes_wfe_without_an_interrupt(boot: Boot) -> None:
    source = """
        void main(void) { RCC_AHB1ENR |= 1; RCC_APB2ENR |= 1 << 14;
            EXTI(0x08) = 1; EXTI(0x04) = 1; ASM("sev\\n wfe");
            for (;;) { ASM("wfe"); out[0]++; } }
    """
    twin = boot(CHIP + source)
    twin.run(0.001)
    assert twin.sleeping
    for n in range(3):
        twin.gpio("A").drive(0, True)
        twin.gpio("A").drive(0, False)
        twin.run(twin.now_s + 0.001)
        assert words(twin)[0] == n + 1


def test_pulls_open_drains_and_analog_pins_read_as_their_level(boot: Boot) -> None:
    source = """
        void main(void) { RCC_AHB1ENR |= 4; GPIO('C', 0x0C) = 1 << 2 * 1 | 2 << 2 * 2;
            GPIO('C', 0) = 1 << 2 * 3 | 3 << 2 * 4; GPIO('C', 4) = 1 << 3; GPIO('C', 0x14) = 1 << 3;
            out[0] = GPIO('C', 0x10); GPIO('C', 0x14) = 0; out[1] = GPIO('C', 0x10);
            GPIO('C', 0x20) = 0x0007B000; out[2] = 1; ASM("wfi"); }
    """
    twin = boot(CHIP + source)
    port = twin.gpio("C")
    port.drive(3, True)
    port.drive(4, True)
    twin.run(0.001)
    assert words(twin)[:3] == [1 << 1 | 1 << 3, 1 << 1, 1]
    assert port.level == 1 << 1 | 1 << 4
    assert (port.alternate_function(3), port.alternate_function(4)) == (0xB, 7)
    port.drive(1, False)
    assert port.level == 1 << 4
    port.drive(1, None)
    assert port.level == 1 << 1 | 1 << 4
    with pytest.raises(ValueError, match="not 16"):
        port.drive(16, True)


@pytest.mark.parametrize("broken", [False, True])
def test_the_lock_sequence_freezes_the_configuration_of_its_pins(boot: Boot, broken: bool) -> None:
    source = f"""
        #define LCKR GPIO('D', 0x1C)
        void main(void) {{ RCC_AHB1ENR |= 8; GPIO('D', 0) = 1 << 2 * 5;
            LCKR = 1 << 16 | 1 << 5; LCKR = {"1 << 6" if broken else "1 << 5"}; LCKR = 1 << 16 | 1 << 5;
            (void)LCKR; out[0] = LCKR >> 16; GPIO('D', 0) = 0xFFFFFFFF; GPIO('D', 0x20) = 0xFFFFFFFF;
            out[1] = GPIO('D', 0); out[2] = GPIO('D', 0x20); GPIO('D', 0x14) = 1 << 5;
            out[3] = GPIO('D', 0x10); }}
    """
    twin = boot(CHIP + source)
    twin.run(0.001)
    frozen = [1, 0xFFFF_F7FF, 0xFF0F_FFFF, 1 << 5]
    assert words(twin)[:4] == ([0, 0xFFFF_FFFF, 0xFFFF_FFFF, 0] if broken else frozen)


def test_the_compensation_cell_gets_ready(boot: Boot) -> None:
    source = """
        void main(void) { RCC_APB2ENR |= 1 << 14; out[0] = SYSCFG(0x20); SYSCFG(0x20) = 1;
            out[1] = SYSCFG(0x20); SYSCFG(0) = 0xFFFFFFFF; out[2] = SYSCFG(0) & 1; }
    """
    twin = boot(CHIP + source)
    twin.run(0.001)
    assert words(twin)[:3] == [0, 0x101, 0]
