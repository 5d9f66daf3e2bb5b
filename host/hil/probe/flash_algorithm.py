"""Our flash algorithm for pyOCD, and how the STM32F746's flash is divided.

The code is compiled from `mcu/flash_algorithm` by `tools/flash-algorithm` and travels in
`flash_algorithm.toml`, so that flashing a board needs no compiler.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_suffix(".toml")

LOAD_ADDRESS = 0x2000_0000
"""DTCM, which no cache lies in front of: what a probe writes there the core executes."""
END_STACK = 0x2000_0C00
BEGIN_STACK = 0x2000_1000
PAGE_BUFFERS = (0x2000_1000, 0x2000_2000)
ANALYZER_ADDRESS = 0x2000_3000
PAGE_BYTES = 4096
"""Bytes that one call programs; with two buffers the probe fills one while the other is programmed."""

_FLASH_BASE = 0x0800_0000
_KIB = 1024
_SECTOR_SIZES = (*[32 * _KIB] * 4, 128 * _KIB, *[256 * _KIB] * 3)


def sectors() -> tuple[tuple[int, int], ...]:
    """Address and size in bytes of each flash sector (RM0385 table 3)."""
    starts = (_FLASH_BASE + sum(_SECTOR_SIZES[:number]) for number in range(len(_SECTOR_SIZES)))
    return tuple(zip(starts, _SECTOR_SIZES, strict=True))


def load() -> dict[str, Any]:
    """The data file: `source_sha256`, `code` (hexadecimal) and `functions` (name → offset in the code)."""
    with DATA.open("rb") as file:
        return tomllib.load(file)


def flash_algorithm() -> dict[str, Any]:
    """The algorithm as pyOCD's target files spell it; entry points have the Thumb bit set."""
    data = load()
    code = bytes.fromhex(data["code"])
    return {
        "load_address": LOAD_ADDRESS,
        "instructions": [int.from_bytes(code[at : at + 4], "little") for at in range(0, len(code), 4)],
        **{
            entry: LOAD_ADDRESS + data["functions"][name] + 1
            for entry, name in (
                ("pc_init", "Init"),
                ("pc_unInit", "UnInit"),
                ("pc_program_page", "ProgramPage"),
                ("pc_erase_sector", "EraseSector"),
                ("pc_eraseAll", "EraseChip"),
            )
        },
        "static_base": LOAD_ADDRESS + len(code),
        "begin_stack": BEGIN_STACK,
        "end_stack": END_STACK,
        "begin_data": PAGE_BUFFERS[0],
        "page_size": PAGE_BYTES,
        "page_buffers": list(PAGE_BUFFERS),
        "min_program_length": 4,
        "analyzer_supported": True,
        "analyzer_address": ANALYZER_ADDRESS,
    }
