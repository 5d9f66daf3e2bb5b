"""What the twin takes from a board's `board.toml`: its crystal, and the port that is wired to the host."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

from hil import paths
from hil.errors import unknown_name

DEFAULT_BOARD = "disco_f746g"
_FILE = "board.toml"


@dataclass(frozen=True)
class Wiring:
    """One board: `hse_hz` of its oscillator, and the number of the host's UART."""

    name: str
    hse_hz: int
    uart: int


def names() -> tuple[str, ...]:
    """Every board with a folder under `mcu/board`; the default comes first."""
    found = sorted(path.parent.name for path in (paths.MCU / "board").glob(f"*/{_FILE}"))
    return tuple(sorted(found, key=lambda name: name != DEFAULT_BOARD))


def load_wiring(name: str) -> Wiring:
    """The board called `name`. Raises UsageError for any other name, listing the valid ones."""
    if name not in names():
        raise unknown_name("board", name, names())
    document = tomllib.loads((paths.MCU / "board" / name / _FILE).read_text(encoding="utf-8"))
    instance = document["uart"]["instance"]
    return Wiring(name, document["hse_hz"], int(instance.removeprefix("USART").removeprefix("UART")))
