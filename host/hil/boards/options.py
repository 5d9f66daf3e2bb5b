"""What a user may say about a board, whichever it is. A board takes what concerns it."""

from __future__ import annotations

from dataclasses import dataclass

from hil.errors import UsageError

DEFAULT_CLOCK_HZ = 216_000_000
"""The STM32F746's fastest."""

RENODE = "renode"


@dataclass(frozen=True)
class BoardOptions:
    """Options of `hil run` that only boards understand."""

    clock_hz: int = DEFAULT_CLOCK_HZ
    renode_path: str | None = None
    renode_trace: bool = False
    gdb_port: int | None = None

    def check(self, board: str) -> None:
        """Raises UsageError for an option that `board` has no use for, or a port that is none."""
        given = {
            "--renode-path": self.renode_path is not None,
            "--renode-trace": self.renode_trace,
            "--gdb": self.gdb_port is not None,
        }
        if board != RENODE:
            for option, is_given in given.items():
                if is_given:
                    raise UsageError(f"{option} is for Renode, not for the board {board!r}", "add --renode")
        if self.gdb_port is not None and not 0 < self.gdb_port < 65536:
            raise UsageError(f"{self.gdb_port} is no port", "choose one of 1024 to 65535")
