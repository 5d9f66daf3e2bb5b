"""Our platform files and commands in the real thing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hil.errors import BoardError
from hil.renode.find import Renode
from hil.renode.machine import Machine, Setting
from hil_tests.twin import firmware

pytestmark = pytest.mark.renode

SAYS = """
static void say(uint32_t value) {
    for (int i = 0; i < 4; i++) { while (!(USART1_ISR & 1 << 7)) {} USART1_TDR = value >> 8 * i & 0xFF; }
}
"""
COUNTS = (
    SAYS
    + """
void main(void) {
    uart_on(216, 0, 0);
    DEMCR |= 1 << 24; DWT_LAR = 0xC5ACCE55; DWT_CTRL |= 1;
    uint32_t begin = DWT_CYCCNT;
    for (volatile uint32_t i = 0; i < 100000; i++) {}
    say(DWT_CYCCNT - begin);
}
"""
)
OVERFLOWS = "void main(void) { *(volatile uint32_t *)%s = 1; for (;;) WFI(); }"
TICKS = (
    SAYS
    + """
static volatile uint32_t ticks;
void systick(void) { ticks++; }
void main(void) {
    uart_on(216, 0, 0);
    SYST_RVR = 216000 - 1; SYST_CVR = 0; SYST_CSR = 7;
    while (ticks < 10) WFI();
    say(ticks);
    for (;;) WFI();
}
"""
)

Boot = Callable[[str], Machine]


@pytest.fixture
def kept() -> dict[str, bytes]:
    return {}


@pytest.fixture
def boot(renode: Renode, tmp_path: Path, kept: dict[str, bytes]) -> Iterator[Boot]:
    started: list[Machine] = []

    def make(source: str) -> Machine:
        started.append(Machine(Setting(renode, 216), firmware.build_firmware(source, tmp_path), kept.update))
        return started[-1]

    yield make
    for machine in started:
        machine.stop()


def word(machine: Machine, until_s: float) -> int:
    data = b""
    while len(data) < 4 and machine.channel.now_s() < until_s:
        data += machine.channel.read(until_s)
    assert len(data) >= 4, "the firmware said nothing"
    return int.from_bytes(data[:4], "little")


def test_every_command_is_accepted(boot: Boot, kept: dict[str, bytes]) -> None:
    boot("void main(void) { for (;;) WFI(); }").stop()
    transcript = kept["renode.log"].decode()
    refused = re.findall(r"\(monitor\) (.*)\n(?:There was an error|No such command|Error E).*", transcript)
    assert refused == [], "also of those a run can do without"


def test_the_cycle_counter_counts_instructions(boot: Boot) -> None:
    counted = [word(boot(COUNTS), 0.1) for _ in range(2)]
    assert counted[0] == counted[1]
    assert 300_000 < counted[0] < 1_000_000


def test_the_tick_comes_every_millisecond(boot: Boot) -> None:
    machine = boot(TICKS)
    assert word(machine, 0.1) == 10
    assert machine.channel.now_s() == pytest.approx(0.010, abs=0.003)


@pytest.mark.parametrize("address", ["0x1FFFFFFC", "0x20050000", "0x08100000"])
def test_leaving_the_memory_ends_the_run(boot: Boot, address: str) -> None:
    with pytest.raises(BoardError, match=f"wrote {address.lower()}"):
        boot(OVERFLOWS % address).channel.read(0.05)
