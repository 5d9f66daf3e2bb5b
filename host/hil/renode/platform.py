"""The platform files: data beside the board, made to fit the clock of a run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parents[1] / "boards" / "renode"
PLATFORM: Final = FOLDER / "stm32f746.repl"
EXTRAS: Final = FOLDER / "disco_f746g.repl"
DEFAULT_MHZ: Final = 216

_OVER_DRIVE_MHZ: Final = 180


@dataclass(frozen=True)
class Memory:
    """A range of addresses that holds what is written to it."""

    name: str
    base: int
    size: int


def platform_text(clock_mhz: int) -> str:
    """The platform for a core at `clock_mhz`: counters at its clock, one instruction a cycle."""
    text = PLATFORM.read_text(encoding="utf-8")
    hz = f"{clock_mhz * 1_000_000}"
    text = re.sub(rf"\b{DEFAULT_MHZ * 1_000_000}\b", hz, text)
    return re.sub(rf"(PerformanceInMips: ){DEFAULT_MHZ}\b", rf"\g<1>{clock_mhz}", text)


def extras_text(clock_mhz: int) -> str:
    """LEDs and timers of the board, for a core at `clock_mhz`."""
    return re.sub(r"(frequency: )\d+", rf"\g<1>{timer_hz(clock_mhz)}", EXTRAS.read_text(encoding="utf-8"))


def timer_hz(clock_mhz: int) -> int:
    """The kernel clock of the timers on APB1: twice PCLK1 unless APB1 is not divided (RM0385 5.2).

    The firmware divides by the smallest power of two that keeps APB1 within 54 MHz in over-drive
    and 45 MHz without.
    """
    limit_mhz = 54 if clock_mhz > _OVER_DRIVE_MHZ else 45
    divider = 1
    while clock_mhz > limit_mhz * divider:
        divider *= 2
    return clock_mhz * 1_000_000 // divider * (1 if divider == 1 else 2)


def settings(text: str) -> dict[str, dict[str, str]]:
    """Entries of a .repl with their `name: value` lines: as much of the format as hil's files use."""
    found: dict[str, dict[str, str]] = {}
    entry = ""
    for line in text.splitlines():
        bare = line.split("//")[0].rstrip()
        if head := re.match(r"(\w+):\s*(.*)$", bare):
            entry = head.group(1)
            found.setdefault(entry, {})["type"] = head.group(2)
        elif entry and (pair := re.match(r"\s+(\w+):\s*(\S.*)$", bare)):
            found[entry][pair.group(1)] = pair.group(2)
    return found


def memories(text: str) -> dict[str, Memory]:
    """Flash and RAM of a platform. The bases are those of the file it builds on."""
    entries = settings(text)
    bases = {"flash": 0x0800_0000, "sram": 0x2000_0000}
    return {name: Memory(name, base, int(entries[name]["size"], 0)) for name, base in bases.items()}
