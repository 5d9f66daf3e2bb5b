"""The findings of `hil doctor`, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from hil.doctor import Check, Status
from hil.report import glyphs as g

_MARKS: Final = {
    Status.OK: (g.DONE, g.GREEN),
    Status.MISSING: (g.WRONG, g.VERMILLION),
    Status.OPTIONAL: (g.WAITING, g.ORANGE),
}


def checks_table(checks: Sequence[Check]) -> Table:
    """One row for each check; what to do stands below what was found."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for check in checks:
        mark, style = _MARKS[check.status]
        found = Text(check.detail)
        if check.hint:
            found.append(f"\n{g.ARROW} {check.hint}", style=g.GREY)
        table.add_row(Text(f"{mark} {check.status}", style=style), Text(check.name, style="bold"), found)
    return table
