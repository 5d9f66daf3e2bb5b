"""The table of `hil bench accuracy`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from hil.bench.row import AccuracyRow, OnTwin
from hil.report import format as fmt
from hil.report.frame import new_table
from hil.report.glyphs import DASH

HEAD: Final = (
    "scheme",
    "float",
    "int8",
    "drop",
    "device alone",
    "on the twin",
    "agrees",
    "latency",
    "payload, mean",
    "p95",
    "asks",
    "skewness",
    "MACs, device",
    "weights, device",
    "weights, server",
)


def cells(row: AccuracyRow) -> tuple[str, ...]:
    """One row's text, in the order of `HEAD`."""
    asks = None if row.exit_share is None else 1 - row.exit_share
    return (
        row.scheme,
        fmt.percent(row.float_accuracy, 2),
        fmt.percent(row.int8_accuracy, 2),
        f"{100 * row.int8_drop:+.2f}",
        fmt.percent(row.local_accuracy, 2),
        *_twin(row.twin),
        fmt.size(row.payload_bytes_mean),
        fmt.size(row.payload_bytes_p95),
        fmt.percent(asks, 0),
        fmt.percent(row.skewness),
        _count(row.device_macs),
        _count(row.device_parameters),
        _count(row.server_parameters),
    )


def caption(rows: Sequence[AccuracyRow]) -> str:
    """What the figures were measured on."""
    datasets = ", ".join(dict.fromkeys(row.dataset for row in rows))
    host = "/".join(dict.fromkeys(f"{row.samples:,}".replace(",", " ") for row in rows))
    twins = dict.fromkeys((row.twin.samples, row.twin.radio) for row in rows if row.twin)
    on_twin = "; ".join(
        f"{count:,} samples over {radio}".replace(",", " ") for count, radio in twins if radio != "none"
    )
    twin = f"; twin: {on_twin}, server 1 ms" if on_twin else ""
    return f"{datasets}, test split: {host} samples on the host{twin}"


def accuracy_table(rows: Sequence[AccuracyRow]) -> Table:
    """`rows` for a terminal, a scheme per column: 80 characters hold five."""
    table = new_table()
    table.caption = caption(rows) if rows else None
    table.caption_justify = "left"
    table.add_column("", no_wrap=True)
    for row in rows:
        table.add_column(row.scheme, justify="right", no_wrap=True)
    columns = [cells(row) for row in rows]
    for index, name in enumerate(HEAD[1:], start=1):
        table.add_row(name, *(Text(column[index]) for column in columns))
    return table


def accuracy_markdown(rows: Sequence[AccuracyRow]) -> str:
    """`rows` for a document."""
    lines = [HEAD, ("---", *["---:"] * (len(HEAD) - 1)), *(cells(row) for row in rows)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{table}\n\n{caption(rows)}.\n" if rows else f"{table}\n"


def _twin(twin: OnTwin | None) -> tuple[str, str, str]:
    if twin is None:
        return DASH, DASH, DASH
    latency = f"{fmt.figure(twin.latency_ms)} ms"
    return fmt.percent(twin.accuracy, 2), fmt.percent(twin.agreement, 0), latency


def _count(number: int) -> str:
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if number >= size:
            return f"{fmt.figure(number / size, 3)} {unit}"
    return str(number)
