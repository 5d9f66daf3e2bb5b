"""A profile of the twin on a terminal: the dearest functions, each with its CPI stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hil.report import cpi
from hil.report import format as fmt
from hil.report import glyphs as g
from hil.report.frame import new_table
from hil.twin.profile import Class, FunctionCost, Profile
from hil.twin.timing.parameters import TICKS

MOST: Final = 20
WIDE: Final = 100
"""From so many columns on the terminal has room for instructions and inclusive cycles."""
BAR: Final = 24
LONGEST_NAME: Final = 40
NARROW_BAR: Final = 14
NARROW_NAME: Final = 30


def profile_view(profile: Profile, title: str, width: int) -> RenderableType:
    """The table, its legend, and what was slept."""
    remarks = Text(f"asleep: {_cycles(profile.sleep_ticks)} cycles, not among the above", style=g.GREY)
    return Group(functions_table(profile, title, width), cpi.legend(), remarks)


def functions_table(profile: Profile, title: str, width: int) -> Table:
    """The `MOST` functions with most cycles of their own, the rest in one row, and the sum."""
    table, wide = new_table(title), width >= WIDE
    table.add_column("function", no_wrap=True)
    for name in _head(wide):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("where the cycles go", no_wrap=True)
    for function in profile.functions[:MOST]:
        _add(table, profile, function, wide)
    if rest := profile.functions[MOST:]:
        _add(table, profile, _sum(f"{len(rest)} others", rest), wide)
    table.add_section()
    _add(table, profile, _sum("all", profile.functions), wide)
    return table


def _head(wide: bool) -> tuple[str, ...]:
    return ("cycles", "share", "with callees", "calls", "CPI") if wide else ("cycles", "share", "CPI")


def _add(table: Table, profile: Profile, function: FunctionCost, wide: bool) -> None:
    share = function.self_ticks / profile.awake_ticks if profile.awake_ticks else None
    spent = function.instructions and function.self_ticks / TICKS / function.instructions
    cells = [_cycles(function.self_ticks), fmt.percent(share)]
    if wide:
        inclusive = _cycles(function.inclusive_ticks) if function.inclusive_ticks else ""
        cells += [inclusive, f"{function.calls:,}" if function.calls else ""]
    cells.append(fmt.number(spent or None))
    name = Text(fmt.cropped(function.name, LONGEST_NAME if wide else NARROW_NAME))
    table.add_row(name, *cells, cpi.bar(function.cpi, BAR if wide else NARROW_BAR))


def _sum(name: str, functions: Sequence[FunctionCost]) -> FunctionCost:
    return FunctionCost(
        name=name,
        address=None,
        calls=0,
        instructions=sum(function.instructions for function in functions),
        cpi={cls: sum(function.cpi[cls] for function in functions) for cls in Class},
        inclusive_ticks=0,
    )


def _cycles(ticks: int) -> str:
    return f"{ticks / TICKS:,.0f}"
