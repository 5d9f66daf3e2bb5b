"""A comparison on a terminal; without colours and cropping where there is none."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hil.report import glyphs as g
from hil.report.compare import Comparison, Verdict
from hil.report.compare_text import HEAD, Section, conclusion, sections
from hil.report.frame import new_table

ALL: Final = 100
"""From so many columns on the terminal has room for what was allowed."""
MOST: Final = 88
"""And from so many for the relative change."""

_GOOD: Final = (g.DONE, g.GREEN)
_BAD: Final = (g.WRONG, f"bold {g.VERMILLION}")
_QUIET: Final = (g.DOT, g.GREY)
_ASIDE: Final = (g.WAITING, g.GREY)
MARKS: Final = {
    Verdict.SAME: ("=", g.GREY),
    Verdict.WITHIN: _QUIET,
    Verdict.BETTER: _GOOD,
    Verdict.WORSE: _BAD,
    Verdict.MISSING: _BAD,
    Verdict.SHOWN: _ASIDE,
    Verdict.WALL_CLOCK: _ASIDE,
    Verdict.GONE: (g.WAITING, g.ORANGE),
    Verdict.NEW: _ASIDE,
    Verdict.UNKNOWN: _ASIDE,
}


def compare_table(comparison: Comparison, title: str, width: int) -> Table:
    """All groups in one table, so that their columns are in line."""
    table = new_table(title)
    head = HEAD[: len(HEAD) - (width < ALL) - (width < MOST)]
    for place, name in enumerate(head):
        table.add_column(name, justify="right" if place else "left", no_wrap=True)
    table.add_column("", no_wrap=True)
    for section in sections(comparison):
        _add(table, section, len(head))
    return table


def _add(table: Table, section: Section, cells: int) -> None:
    for row in section.rows:
        mark, style = MARKS[row.verdict]
        shown = [Text(cell) for cell in row.cells[:cells]]
        table.add_row(*shown, Text(f"{mark} {row.verdict}", style=style))
    table.add_section()


def print_comparison(console: Console, comparison: Comparison, a: str, b: str) -> None:
    """The table, the remarks, and the conclusion."""
    console.print(compare_table(comparison, f"{b} against {a}", console.width))
    for section in sections(comparison):
        if section.sources:
            console.print(Text(f"{section.group}: {section.sources}", style=g.GREY), soft_wrap=True)
    for remark in comparison.remarks:
        console.print(Text(f"{g.WARNING} {remark.message}", style=g.ORANGE), soft_wrap=True)
    mark, style = _BAD if comparison.regressions else _GOOD
    console.print(Text(f"{mark} {conclusion(comparison)}", style=style), soft_wrap=True)
