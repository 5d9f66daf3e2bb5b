"""The table of `hil data`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from hil.report.frame import new_table


def datasets_table(rows: Sequence[dict[str, Any]]) -> Table:
    """`rows` as `hil data --json` prints them."""
    table = new_table()
    table.add_column("data set", style="bold", no_wrap=True)
    table.add_column("classes", justify="right")
    table.add_column("image", no_wrap=True)
    table.add_column("where", overflow="fold")
    for row in rows:
        shape = "×".join(str(side) for side in row["shape"])
        place = Text(row["place"])
        if not row["present"]:
            place = Text(f"not here: {row['place']}", style="dim")
        table.add_row(Text(row["name"]), str(row["classes"]), shape, place)
    return table
