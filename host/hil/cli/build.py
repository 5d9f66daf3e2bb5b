"""`hil build`: a bundle becomes firmware for a board."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hil.cli import options
from hil.errors import UsageError

if TYPE_CHECKING:
    from hil.deploy.deployment import Deployment

ARTEFACTS = ("hil.elf", "hil.bin", "hil.map", "model.c", "kernels.json")

Explain = Annotated[
    bool, typer.Option("--explain", help="Show every kernel there was for each step, and what it takes.")
]


def build(
    scheme: options.Scheme = None,
    dataset: options.Dataset = None,
    board: options.BoardName = "twin",
    bundle: options.BundleFile = None,
    trust: options.Trust = None,
    seed: options.TrainingSeed = 0,
    clock_mhz: options.ClockMhz = None,
    kernels: options.Kernels = "tuned",
    codec: options.Codec = None,
    codec_for: options.CodecFor = "latency",
    radio: options.Radio = "wifi-6m",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Copy firmware and sources to this folder.")
    ] = None,
    explain: Explain = False,
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

    from hil.deploy.codecs.request import CodecRequest
    from hil.deploy.deployment import KernelChoice
    from hil.deploy.tune import explain as candidates
    from hil.pipeline import Request, build_firmware, ensure_bundle, pack_payload, resolve
    from hil.report.built import Built, as_values, print_built
    from hil.report.plain import PlainReporter

    if explain and kernels == KernelChoice.PLAIN:
        raise UsageError("--explain shows what tuned kernels were chosen from", "leave --kernels plain out")
    request = Request(
        scheme=scheme,
        dataset=dataset,
        board=board,
        bundle=bundle,
        trust=trust,
        training_seed=seed,
        clock_mhz=clock_mhz,
        kernels=kernels,
        codec=CodecRequest(codec, codec_for, radio),
        data_dir=data_dir,
    )
    plan = resolve(request, to_run=False)
    reporter = PlainReporter(Console(stderr=True), table=False)
    packed = pack_payload(plan, ensure_bundle(plan, reporter), reporter)
    deployment = build_firmware(plan, packed.bundle, reporter)
    if out is not None:
        _copy(deployment.folder, out)
    if map_svg is not None:
        _draw(deployment, map_svg)
    elf = (out or deployment.folder) / "hil.elf"
    rows = candidates.load(deployment.folder) if explain else ()
    built = Built(deployment, plan.board.info, elf, packed, radio, rows)
    if as_json:
        sys.stdout.write(json.dumps(as_values(built), indent=2) + "\n")
    else:
        print_built(built, Console(), arena_map)
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
