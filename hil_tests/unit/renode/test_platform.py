"""The platform files as data, and the commands that load them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hil.boards.renode import INFO
from hil.errors import BoardError
from hil.renode import commands, platform
from hil.renode.commands import Files

TYPES_OF_1_16_1 = {
    "Memory.ArrayMemory", "Memory.MappedMemory", "Miscellaneous.DWT", "Miscellaneous.LED",
    "Timers.STM32_Timer",
}  # fmt: skip
"""Every model the files name; a new one has to be looked up before it is added here."""


def test_flash_and_ram_are_the_chips() -> None:
    memories = platform.memories(platform.PLATFORM.read_text())
    assert (memories["flash"].base, memories["flash"].size) == (0x0800_0000, INFO.flash_bytes)
    assert (memories["sram"].base, memories["sram"].size) == (0x2000_0000, INFO.ram_bytes)
    assert INFO.flash_bytes == 1 << 20
    assert INFO.ram_bytes == 320 << 10


@pytest.mark.parametrize("mhz", [216, 180, 84, 60])
def test_every_counter_runs_at_the_clock_of_the_run(mhz: int) -> None:
    entries = platform.settings(platform.platform_text(mhz))
    assert entries["cpu"]["PerformanceInMips"] == str(mhz)
    assert entries["nvic"]["systickFrequency"] == f"{mhz}000000"
    assert entries["dwt"]["frequency"] == f"{mhz}000000"
    assert entries["usart1"]["frequency"] == f"{mhz}000000"
    assert entries["dwt"]["type"] == "Miscellaneous.DWT @ sysbus 0xE0001000"


@pytest.mark.parametrize(
    ("mhz", "hz"),
    [
        (216, 108_000_000),
        (180, 90_000_000),
        (168, 84_000_000),
        (90, 90_000_000),
        (84, 84_000_000),
        (60, 60_000_000),
    ],
)
def test_timers_run_at_twice_their_bus(mhz: int, hz: int) -> None:
    assert platform.timer_hz(mhz) == hz
    entries = platform.settings(platform.extras_text(mhz))
    assert {entries[name]["frequency"] for name in ("tim2", "tim3")} == {str(hz)}


def test_the_receive_dma_is_wired_and_nothing_is_downloaded() -> None:
    text = platform.PLATFORM.read_text()
    assert "ReceiveDmaRequest -> dma2@2" in text
    assert "sysbus:\n    init:" in text, "in place of the original's init"
    assert "ApplySVD" not in text
    assert "http" not in text


@pytest.mark.parametrize("path", [platform.PLATFORM, platform.EXTRAS], ids=lambda path: path.name)
def test_only_models_that_renode_has(path: Path) -> None:
    named = set(re.findall(r"^\w+:\s*([A-Z]\w*\.\w+) @", path.read_text(), re.MULTILINE))
    assert named <= TYPES_OF_1_16_1


def test_the_led_is_the_boards() -> None:
    assert "1 -> ld1@0" in platform.EXTRAS.read_text()
    config = Path(__file__).parents[3] / "mcu" / "board" / INFO.config / "board_config.h"
    assert re.search(r"HIL_LED_PORT\s+GPIOI", config.read_text())
    assert re.search(r"HIL_LED_PIN\s+1U", config.read_text())


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [(1, "0.0000010004"), (25, "0.0000250004"), (150_000, "0.1500000004"), (2_000_001, "2.0000010004")],
)
def test_steps(microseconds: int, text: str) -> None:
    assert commands.run_for(microseconds) == f'emulation RunFor "{text}"'


@pytest.mark.parametrize("ticks_per_second", [10**6, 10**9])
def test_no_step_loses_a_tick(ticks_per_second: int) -> None:
    for microseconds in range(1, 20_001, 7):
        text = commands.run_for(microseconds).split('"')[1]
        whole, _, decimals = text.partition(".")
        ticks = int(whole) * ticks_per_second + int(float(f"0.{decimals}") * ticks_per_second)
        assert ticks == microseconds * (ticks_per_second // 10**6)


def test_commands_as_tried(tmp_path: Path) -> None:
    files = Files(Path("/tmp/x"))
    assert commands.arguments(1234, Path("/tmp/p")) == [
        "--disable-gui", "--plain", "--hide-analyzers", "-P", "1234", "--pid-file", "/tmp/p",
    ]  # fmt: skip
    assert commands.machine(files)[:3] == [
        'mach create "f746"',
        "machine LoadPlatformDescription @/tmp/x/stm32f746.repl",
        "sysbus LoadELF @/tmp/x/firmware.elf",
    ]
    assert commands.uart(files, 3456) == [
        'emulation CreateServerSocketTerminal 3456 "host" false',
        "connector Connect sysbus.usart1 host",
        "sysbus.usart1 CreateFileBackend @/tmp/x/uart.bin true",
    ]
    assert commands.gdb(3333) == "machine StartGdbServer 3333 false"


def test_paths() -> None:
    assert commands.at(Path("/tmp/my files/x")) == "@/tmp/my\\ files/x"
    with pytest.raises(BoardError, match="cannot be given the path"):
        commands.at(Path("/tmp/a;b"))
