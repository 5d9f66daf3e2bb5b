"""What a build made, as values for programs and as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from hil.boards.protocol import BoardInfo
from hil.deploy.codecs.pack import Packed
from hil.deploy.deployment import Deployment
from hil.deploy.tune.explain import Candidate
from hil.deploy.tune.explain import as_values as as_kernel_values
from hil.report.arena import arena_view
from hil.report.arena_json import memory_report
from hil.report.codecs import as_values as as_codec_values
from hil.report.codecs import codec_table
from hil.report.footprint import footprint_view
from hil.report.kernels import kernel_table
from hil.report.wide import wide


@dataclass(frozen=True)
class Built:
    """Firmware, and what it was chosen from."""

    deployment: Deployment
    board: BoardInfo
    elf: Path
    packed: Packed
    radio: str
    kernels: Sequence[Candidate] = ()
    """Every kernel there was for each step; empty where nobody asked."""


def as_values(built: Built) -> dict[str, Any]:
    """The document of `hil build --json`."""
    deployment, board = built.deployment, built.board
    report: dict[str, Any] = {
        "elf": str(built.elf.resolve()),
        "board": board.name,
        "clock_hz": deployment.clock_hz,
        "kernels": str(deployment.kernels),
        "footprint": asdict(deployment.footprint),
        "limits": {"flash_bytes": board.flash_bytes, "ram_bytes": board.ram_bytes},
        "memory": memory_report(deployment.memory),
        "layers": [asdict(layer) for layer in deployment.layers],
    }
    if built.kernels:
        report["candidates"] = as_kernel_values(built.kernels)
        report["candidates_source"] = "twin_cycles"
    if built.packed.candidates:
        report["codecs"] = as_codec_values(built.packed.candidates, built.packed.chosen)
        report["codecs_source"] = "modelled"
    return report


def print_built(built: Built, console: Console, arena_map: bool) -> None:
    """Footprint, codecs and kernels; with `arena_map` also where every buffer lies."""
    deployment, packed = built.deployment, built.packed
    console.print(footprint_view(deployment, built.board, console.width))
    if arena_map:
        layers = [layer.name for layer in deployment.layers]
        console.print(arena_view(deployment.memory, layers, console.width))
    if packed.candidates:
        console.print(codec_table(packed.candidates, packed.chosen, built.radio))
    if built.kernels:
        wide(console).print(kernel_table(built.kernels))
    console.print(f"firmware: {built.elf}", markup=False, soft_wrap=True)
