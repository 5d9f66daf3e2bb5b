"""The boards, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from hil.boards.protocol import BoardInfo
from hil.report import format as fmt
from hil.report.frame import new_table

if TYPE_CHECKING:
    from hil.probe.listing import Listed


def boards_table(infos: Sequence[BoardInfo]) -> Table:
    """One row for each board."""
    table = new_table()
    table.add_column("board", style="bold", no_wrap=True)
    table.add_column("flash", justify="right")
    table.add_column("ram", justify="right")
    table.add_column("time")
    table.add_column("what it is")
    for info in infos:
        time = f"{'virtual' if info.virtual_time else 'real'}, {info.time_source}"
        sizes = (fmt.size(info.flash_bytes), fmt.size(info.ram_bytes))
        table.add_row(Text(info.name), *sizes, time, Text(info.summary))
    return table


def probes_table(probes: Sequence[Listed]) -> Table:
    """One row for each connected probe."""
    table = new_table()
    table.add_column("probe", style="bold", no_wrap=True)
    table.add_column("board")
    table.add_column("serial port", no_wrap=True)
    table.add_column("product")
    for probe in probes:
        board, port = probe.board or "not known; name it with --board", probe.serial_port or "none"
        table.add_row(*map(Text, (probe.unique_id, board, port, probe.product)))
    return table
