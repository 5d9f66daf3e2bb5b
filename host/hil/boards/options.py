"""What a user may say about a board, whichever it is. A board takes what concerns it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hil.errors import UsageError

DEFAULT_CLOCK_HZ = 216_000_000
"""The STM32F746's fastest."""

RENODE = "renode"
STM32F746 = "stm32f746"
"""Any board that carries one; which, its probe says."""
PHYSICAL = (STM32F746, "nucleo_f746zg", "disco_f746g")
"""Boards on a desk. All but the first are folders under `mcu/board/`."""


@dataclass(frozen=True)
class BoardOptions:
    """Options of `hil run` that only boards understand."""

    clock_hz: int = DEFAULT_CLOCK_HZ
    renode_path: str | None = None
    renode_trace: bool = False
    gdb_port: int | None = None
    probe: str | None = None
    """The start of a debug probe's unique ID."""
    serial_port: str | None = None
    pack: Path | None = None
    """A CMSIS pack that describes the chip."""

    def check(self, board: str) -> None:
        """Raises UsageError for an option that `board` has no use for, or a port that is none."""
        renode = {
            "--renode-path": self.renode_path is not None,
            "--renode-trace": self.renode_trace,
            "--gdb": self.gdb_port is not None,
        }
        physical = {
            "--probe": self.probe is not None,
            "--serial": self.serial_port is not None,
            "--pack": self.pack is not None,
        }
        if board != RENODE:
            _refuse(renode, f"is for Renode, not for the board {board!r}", "add --renode")
        if board not in PHYSICAL:
            _refuse(physical, f"is for a physical board, not for {board!r}", f"add --board {STM32F746}")
        if self.gdb_port is not None and not 0 < self.gdb_port < 65536:
            raise UsageError(f"{self.gdb_port} is no port", "choose one of 1024 to 65535")


def _refuse(given: Mapping[str, bool], why: str, hint: str) -> None:
    """Raises UsageError for the first option that is given."""
    for option, is_given in given.items():
        if is_given:
            raise UsageError(f"{option} {why}", hint)
