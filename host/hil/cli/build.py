"""`hil build`: a bundle becomes firmware for a board."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hil.cli import options
from hil.errors import UsageError

if TYPE_CHECKING:
    from hil.boards.protocol import BoardInfo
    from hil.deploy.deployment import Deployment

ARTEFACTS = ("hil.elf", "hil.bin", "hil.map", "model.c")


def build(
    scheme: options.Scheme = None,
    dataset: options.Dataset = None,
    board: options.BoardName = "twin",
    bundle: options.BundleFile = None,
    seed: options.TrainingSeed = 0,
    clock_mhz: options.ClockMhz = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Copy firmware and sources to this folder.")
    ] = None,
    data_dir: options.DataDir = None,
    arena_map: Annotated[bool, typer.Option("--map", help="Show where every buffer lies, and when.")] = False,
    map_svg: Annotated[
        Path | None, typer.Option("--map-svg", help="Draw the same into this file, as SVG.")
    ] = None,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Build the firmware of a bundle, and show what it takes of the board."""
    from rich.console import Console

    from hil.pipeline import Request, build_firmware, ensure_bundle, resolve
    from hil.report.plain import PlainReporter

    request = Request(
        scheme=scheme,
        dataset=dataset,
        board=board,
        bundle=bundle,
        training_seed=seed,
        clock_mhz=clock_mhz,
        data_dir=data_dir,
    )
    plan = resolve(request, to_run=False)
    reporter = PlainReporter(Console(stderr=True), table=False)
    deployment = build_firmware(plan, ensure_bundle(plan, reporter), reporter)
    if out is not None:
        _copy(deployment.folder, out)
    if map_svg is not None:
        _draw(deployment, map_svg)
    _print(deployment, plan.board.info, out, as_json, arena_map)
    return 0


def _draw(deployment: Deployment, target: Path) -> None:
    from hil.report.arena_svg import arena_svg
    from hil.report.footprint import title

    layers = [layer.name for layer in deployment.layers]
    try:
        target.write_text(arena_svg(deployment.memory, layers, title(deployment)), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}", "name another file") from None


def _copy(source: Path, target: Path) -> None:
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name in ARTEFACTS:
            if (source / name).is_file():
                shutil.copyfile(source / name, target / name)
    except OSError as error:
        raise UsageError(
            f"cannot write to {target}: {error.strerror}", "name another folder with --out"
        ) from None


def _print(
    deployment: Deployment, board: BoardInfo, out: Path | None, as_json: bool, arena_map: bool
) -> None:
    elf = (out or deployment.folder) / "hil.elf"
    if as_json:
        from hil.report.arena_json import memory_report

        report = {
            "elf": str(elf.resolve()),
            "board": board.name,
            "clock_hz": deployment.clock_hz,
            "footprint": asdict(deployment.footprint),
            "limits": {"flash_bytes": board.flash_bytes, "ram_bytes": board.ram_bytes},
            "memory": memory_report(deployment.memory),
            "layers": [asdict(layer) for layer in deployment.layers],
        }
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
        return
    from rich.console import Console

    from hil.report.footprint import footprint_view

    console = Console()
    console.print(footprint_view(deployment, board, console.width))
    if arena_map:
        from hil.report.arena import arena_view

        layers = [layer.name for layer in deployment.layers]
        console.print(arena_view(deployment.memory, layers, console.width))
    console.print(f"firmware: {elf}", markup=False, soft_wrap=True)
