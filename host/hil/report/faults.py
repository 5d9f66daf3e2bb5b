"""The kinds of faults, as a table."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from hil.faults.kind import Kind, Setting
from hil.report.frame import new_table


def faults_table(kinds: Iterable[Kind]) -> Table:
    """One row for each kind, and below it one for each of its settings."""
    table = new_table()
    table.add_column("fault", style="bold", no_wrap=True)
    table.add_column("where", no_wrap=True)
    table.add_column("what happens, and its settings beside at= and rate=")
    for kind in kinds:
        on = f" (only on {', '.join(sorted(kind.boards))})" if kind.boards else ""
        table.add_row(Text(kind.name), Text(kind.layer), Text(kind.summary + on))
        for setting in kind.settings:
            table.add_row("", "", Text(_setting(setting), style="dim"))
    return table


def _setting(setting: Setting) -> str:
    unit = f" {setting.unit}" if setting.unit else ""
    return f"{setting.name}={setting.default}{unit}: {setting.summary}"
