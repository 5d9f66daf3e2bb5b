"""The candidates of every step, and which were taken."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from hil.deploy.tune.explain import Candidate
from hil.report import glyphs as g
from hil.report.frame import new_table

_HEAD = ("cycles", "in ITCM", "MAC/cycle", "scratch", "code", "constants")


def kernel_table(rows: Sequence[Candidate]) -> Table:
    """One line a candidate; those that were taken stand out by a mark and bold type."""
    table = new_table()
    table.add_column("step", overflow="fold")
    table.add_column("", no_wrap=True)
    table.add_column("kernel", overflow="fold")
    for name in _HEAD:
        table.add_column(name, justify="right", no_wrap=True)
    previous = None
    for row in rows:
        step = "" if (row.first, row.step) == previous else row.step
        previous = row.first, row.step
        style = "bold" if row.chosen else g.GREY
        cells = [step, MARK if row.chosen else "", row.kernel, *_figures(row)]
        table.add_row(*(Text(cell, style=style) for cell in cells))
    total = sum(row.itcm_cycles or row.cycles or 0 for row in rows if row.chosen)
    table.add_section()
    table.add_row("all", MARK, "", f"{total:,}", *[""] * 5, style="bold")
    return table


MARK = "*"
"""ASCII, since it is all that tells the choice where there is no bold type."""


def _figures(row: Candidate) -> tuple[str, ...]:
    cycles = "does not fit" if row.cycles is None else f"{row.cycles:,}"
    rate = "" if row.macs_per_cycle is None else f"{row.macs_per_cycle:.2f}"
    sizes = (row.scratch_bytes, row.code_bytes, row.constant_bytes)
    moved = "" if row.itcm_cycles is None else f"{row.itcm_cycles:,}"
    return cycles, moved, rate, *(f"{size:,}" if size else "" for size in sizes)
