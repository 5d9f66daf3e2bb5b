"""Room for wide tables in a file or a pipe, where nobody says how wide it is."""

from __future__ import annotations

from typing import Final

from rich.console import Console

COLUMNS: Final = 132


def wide(console: Console) -> Console:
    """`console` itself on a terminal, else one of `COLUMNS` columns or more."""
    return console if console.is_terminal else Console(width=max(console.width, COLUMNS))
