"""What each codec takes of the device and of the link, and which was taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text

from hil.deploy.codecs.choose import Cost
from hil.report import glyphs as g
from hil.report.frame import new_table
from hil.report.kernels import MARK

_HEAD = ("cycles", "bytes", "scratch", "tables", "ms", "mJ")


def codec_table(candidates: Sequence[Cost], chosen: Cost | None, radio: str) -> Table:
    """One line a codec; the one that was taken stands out by a mark and bold type."""
    table = new_table(f"codecs over {radio}")
    table.add_column("codec", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("order", no_wrap=True)
    for name in _HEAD:
        table.add_column(name, justify="right", no_wrap=True)
    for cost in candidates:
        one, style = cost.measured, "bold" if cost is chosen else g.GREY
        figures = (one.cycles, round(one.payload_bytes), one.scratch_bytes, one.table_bytes)
        energy = "" if cost.energy_mj is None else f"{cost.energy_mj:.3f}"
        cells = (
            one.codec,
            MARK if cost is chosen else "",
            one.order,
            *(f"{figure:,}" for figure in figures),
            f"{cost.latency_ms:.3f}",
            energy,
        )
        table.add_row(*(Text(cell, style=style) for cell in cells))
    return table


def as_values(candidates: Sequence[Cost], chosen: Cost | None) -> list[dict[str, Any]]:
    """The same as JSON values."""
    return [
        {
            **asdict(cost.measured),
            "latency_ms": cost.latency_ms,
            "energy_mj": cost.energy_mj,
            "chosen": cost is chosen,
        }
        for cost in candidates
    ]
