"""The tables of `hil bench kernels`: a network each, plain CMSIS-NN against the tuner's choice."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from hil.bench.kernels import KernelRow, NetworkKernels
from hil.report.frame import new_table

HEAD = ("layer", "MACs", "CMSIS-NN", "MAC/cycle", "ours", "MAC/cycle", "ratio", "kernel")


def cells(row: KernelRow) -> tuple[str, ...]:
    """One row's text, in the order of `HEAD`."""
    return (
        row.step,
        f"{row.macs:,}" if row.macs else "",
        f"{row.plain_cycles:,}",
        _rate(row.macs, row.plain_cycles),
        f"{row.cycles:,}",
        _rate(row.macs, row.cycles),
        f"{row.ratio:.2f}",
        row.kernel,
    )


def caption(result: NetworkKernels) -> str:
    """What the figures are."""
    return f"cycles of one inference ({result.source}, 216 MHz, caches on, GCC {result.compiler})"


def kernels_table(result: NetworkKernels) -> Table:
    """For a terminal."""
    table = new_table(result.network)
    table.caption, table.caption_justify = caption(result), "left"
    for name in HEAD:
        text = name in ("layer", "kernel")
        table.add_column(name, justify="left" if text else "right", overflow="fold", no_wrap=not text)
    for row in result.rows:
        table.add_row(*map(Text, cells(row)))
    table.add_section()
    table.add_row(*map(Text, cells(result.total)), style="bold")
    return table


def kernels_markdown(result: NetworkKernels) -> str:
    """For a document."""
    rule = ("---", *["---:"] * 6, "---")
    lines = [
        HEAD,
        rule,
        *map(cells, result.rows),
        tuple(f"**{c}**" if c else "" for c in cells(result.total)),
    ]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"`{result.network}`, {caption(result)}:\n\n{table}\n"


def _rate(macs: int, cycles: int) -> str:
    return f"{macs / cycles:.2f}" if macs else ""
