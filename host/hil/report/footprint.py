"""What firmware takes of a board, and which layers it runs."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hil.boards.protocol import BoardInfo
from hil.deploy.deployment import Deployment, Footprint
from hil.report import format as fmt
from hil.report import glyphs as g
from hil.report.frame import new_table
from hil.report.lines import memory_line


def footprint_lines(footprint: Footprint, board: BoardInfo, width: int) -> list[Text]:
    """A bar for the flash and one for the RAM, with what the RAM is made of."""
    ram = footprint.ram_static_bytes + footprint.arena_bytes + footprint.stack_bytes
    width = min(width, 72)
    parts = (
        f"      arena {fmt.size(footprint.arena_bytes)}, stack {fmt.size(footprint.stack_bytes)}, "
        f"other {fmt.size(footprint.ram_static_bytes)}"
    )
    if footprint.itcm_bytes:
        parts += f"; beside it {fmt.size(footprint.itcm_bytes)} of code in ITCM"
    return [
        memory_line("flash", footprint.flash_bytes, board.flash_bytes, width),
        memory_line("ram", ram, board.ram_bytes, width),
        Text(parts, style=g.GREY),
    ]


def layer_table(deployment: Deployment) -> Table:
    """The generated code's layers in the order they run."""
    table = new_table()
    table.add_column("layer", no_wrap=True)
    table.add_column("kernel", style=g.GREY)
    table.add_column("MACs", justify="right")
    table.add_column("share", justify="right")
    whole = sum(layer.macs for layer in deployment.layers)
    for layer in deployment.layers:
        share = fmt.percent(layer.macs / whole) if whole and layer.macs else ""
        table.add_row(Text(layer.name), Text(layer.kernel), f"{layer.macs:,}" if layer.macs else "", share)
    table.add_section()
    table.add_row("all", "", f"{whole:,}", "")
    return table


def title(deployment: Deployment) -> str:
    """What runs where, and how fast."""
    manifest = deployment.manifest
    clock = f"{deployment.clock_hz / 1e6:.0f} MHz"
    return f"{manifest.scheme} on {manifest.dataset}, {deployment.board} at {clock}"


def footprint_view(deployment: Deployment, board: BoardInfo, width: int) -> RenderableType:
    """Title, bars and layers."""
    head = Text(title(deployment), style="bold")
    return Group(head, *footprint_lines(deployment.footprint, board, width), layer_table(deployment))
