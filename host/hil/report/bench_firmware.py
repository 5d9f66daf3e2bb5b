"""The table of `hil bench firmware`: firmwares of one bundle, and how many times one is the other."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from hil.bench.firmware import FirmwareRow, ratios
from hil.report import format as fmt
from hil.report.frame import new_table
from hil.report.glyphs import DASH

_FIGURES = (
    ("graph, cycles", "graph_cycles"),
    ("quantise, cycles", "quantise_cycles"),
    ("encode, cycles", "encode_cycles"),
    ("all, cycles", "cycles"),
    ("ms at 216 MHz", "milliseconds"),
    ("energy of the core, mJ", "energy_mj"),
    ("flash, bytes", "flash_bytes"),
    ("flash without weights", "program_bytes"),
    ("RAM in all, bytes", "ram_bytes"),
    ("RAM without code", "data_bytes"),
    ("variables", "ram_static_bytes"),
    ("arena", "arena_bytes"),
    ("stack, reserved", "stack_bytes"),
    ("stack, used", "stack_peak_bytes"),
    ("code in ITCM", "itcm_bytes"),
    ("payload, bytes", "payload_bytes"),
    ("equal to the host", "agreement"),
)


def head(rows: Sequence[FirmwareRow]) -> tuple[str, ...]:
    """Titles of the columns."""
    names = {"plain": "CMSIS-NN", "tuned": "tuned"}
    titles = [f"{names[row.kernels]}, {row.codec}" if row.codec else names[row.kernels] for row in rows]
    return ("", *titles, "ratio")


def lines(rows: Sequence[FirmwareRow]) -> list[tuple[str, ...]]:
    """All rows' text, in the order of `head`; the ratio is of the first to the last."""
    shares = ratios(rows[0], rows[-1])
    return [
        (title, *(_figure(name, getattr(row, name)) for row in rows), _ratio(shares.get(name)))
        for title, name in _FIGURES
    ]


def caption(row: FirmwareRow) -> str:
    """What the figures are of."""
    return (
        f"{row.scheme} on {row.dataset}; mean of {row.samples} inferences "
        f"({row.source}, caches on); energy is modelled"
    )


def firmware_table(rows: Sequence[FirmwareRow]) -> Table:
    """For a terminal."""
    table = new_table()
    table.caption, table.caption_justify = caption(rows[0]), "left"
    for name in head(rows):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for line in lines(rows):
        table.add_row(*map(Text, line))
    return table


def firmware_markdown(rows: Sequence[FirmwareRow]) -> str:
    """For a document."""
    titles = head(rows)
    all_lines = [titles, ("---", *["---:"] * (len(titles) - 1)), *lines(rows)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in all_lines)
    return f"{table}\n\n{caption(rows[0])}.\n"


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return DASH
    if name == "agreement":
        return fmt.percent(value, 0)
    return f"{value:.3f}" if name in ("milliseconds", "energy_mj") else f"{value:,.0f}"


def _ratio(value: float | None) -> str:
    return DASH if value is None else f"{value:.2f}"
