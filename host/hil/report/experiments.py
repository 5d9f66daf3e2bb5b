"""Experiments on a terminal: the list, and a result's table with what the paper says beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hil.experiments.experiment import Column, Experiment
from hil.experiments.result import CellResult, Result
from hil.report import format as fmt
from hil.report import glyphs as g
from hil.report.frame import new_table


def experiments_table(experiments: Sequence[Experiment]) -> Table:
    """What `hil experiment list` shows."""
    table = new_table()
    table.add_column("experiment", style="bold", no_wrap=True)
    table.add_column("asks")
    table.add_column("varies", overflow="fold")
    for each in experiments:
        varies = ", ".join(variable.name for variable in each.varies)
        table.add_row(each.name, each.question, varies)
    return table


def value_text(column: Column, value: Any) -> str:
    """A figure as its column shows it."""
    if value is None:
        return g.DASH
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if column.unit == "%":
        return f"{100 * value:.{2 if column.digits is None else column.digits}f}"
    if column.digits is None and isinstance(value, float):
        return fmt.figure(value)
    return f"{value:,.{column.digits or 0}f}".replace(",", " ")


def heading(column: Column, between: str = ", ") -> str:
    return f"{column.title}{between}{column.unit}" if column.unit else column.title


def shown_columns(result: Result) -> tuple[Column, ...]:
    """The result's own, behind one for each variable that none of them shows and that does vary."""
    shown = {column.key for column in result.columns}
    more = [
        Column(name, name)
        for name, values in result.variables.items()
        if name not in shown and len(values) > 1
    ]
    return (*more, *result.columns)


def result_table(result: Result) -> Table:
    """The cells that were measured."""
    table = new_table(f"{result.name}: {result.question}")
    columns = shown_columns(result)
    for column in columns:
        is_name = any(isinstance(cell.value(column.key), str) for cell in result.measured)
        table.add_column(
            heading(column, "\n"), justify="left" if is_name else "right", no_wrap=is_name, overflow="fold"
        )
    for cell in result.measured:
        table.add_row(*(Text(value_text(column, cell.value(column.key))) for column in columns))
    return table


def result_view(result: Result, folder: Path) -> RenderableType:
    """Table, paper, failed cells, and where the rest lies."""
    parts: list[RenderableType] = [result_table(result), *_beside(result)]
    parts += [Text(_failure(cell), style=g.VERMILLION) for cell in result.failed]
    if result.partial:
        parts.append(Text("interrupted: the same command goes on where it was", style=g.ORANGE))
    return Group(*parts, Text(f"in {folder}", style=g.GREY), Text(""))


def _beside(result: Result) -> list[RenderableType]:
    if not result.beside:
        return []
    table = new_table()
    for name in ("", "paper", "here", ""):
        table.add_column(name, overflow="fold")
    for each in result.beside:
        table.add_row(each.figure, each.paper, each.ours, each.word)
    return [table]


def _failure(cell: CellResult) -> str:
    assert cell.error is not None
    settings = " ".join(f"{name}={value}" for name, value in cell.settings.items())
    hint = f"; {cell.error.hint}" if cell.error.hint else ""
    return f"not measured: {settings}: {cell.error.message}{hint}"
