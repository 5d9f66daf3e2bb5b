"""The table of `hil bench firmware`: two firmwares of one bundle, and how many times one is the other."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from hil.bench.firmware import FirmwareRow, ratios
from hil.report import format as fmt
from hil.report.frame import new_table
from hil.report.glyphs import DASH

HEAD = ("", "CMSIS-NN", "tuned", "ratio")

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
    ("variables", "ram_static_bytes"),
    ("arena", "arena_bytes"),
    ("stack, reserved", "stack_bytes"),
    ("stack, used", "stack_peak_bytes"),
    ("code in ITCM", "itcm_bytes"),
    ("payload, bytes", "payload_bytes"),
    ("equal to the host", "agreement"),
)


def lines(plain: FirmwareRow, tuned: FirmwareRow) -> list[tuple[str, ...]]:
    """All rows' text, in the order of `HEAD`."""
    shares = ratios(plain, tuned)
    return [
        (
            title,
            _figure(name, getattr(plain, name)),
            _figure(name, getattr(tuned, name)),
            _ratio(shares.get(name)),
        )
        for title, name in _FIGURES
    ]


def caption(row: FirmwareRow) -> str:
    """What the figures are of."""
    codec = f", codec {row.codec}" if row.codec else ""
    return (
        f"{row.scheme} on {row.dataset}{codec}; mean of {row.samples} inferences "
        f"({row.source}, caches on); energy is modelled"
    )


def firmware_table(plain: FirmwareRow, tuned: FirmwareRow) -> Table:
    """For a terminal."""
    table = new_table()
    table.caption, table.caption_justify = caption(plain), "left"
    for name in HEAD:
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for line in lines(plain, tuned):
        table.add_row(*map(Text, line))
    return table


def firmware_markdown(plain: FirmwareRow, tuned: FirmwareRow) -> str:
    """For a document."""
    rows = [HEAD, ("---", *["---:"] * 3), *lines(plain, tuned)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in rows)
    return f"{table}\n\n{caption(plain)}.\n"


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return DASH
    if name == "agreement":
        return fmt.percent(value, 0)
    return f"{value:.3f}" if name in ("milliseconds", "energy_mj") else f"{value:,.0f}"


def _ratio(value: float | None) -> str:
    return DASH if value is None else f"{value:.2f}"
