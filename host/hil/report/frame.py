"""The one look of all tables."""

from __future__ import annotations

from rich import box
from rich.table import Table

from hil.report import glyphs as g


def new_table(title: str = "") -> Table:
    """An empty table: a line under the head and no other."""
    return Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        border_style=g.GREY,
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
