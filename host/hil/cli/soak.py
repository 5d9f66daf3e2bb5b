"""`hil soak`: run after run with random faults, and whether anything leaks."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hil.cli import options
from hil.errors import SessionError, UsageError

if TYPE_CHECKING:
    from hil.soak.result import Soak

Hours = Annotated[float, typer.Option("--hours", help="How long.")]
Virtual = Annotated[
    bool, typer.Option("--virtual", help="Hours of the board, not of the wall clock: for the twin.")
]
Samples = Annotated[int, typer.Option("--n", "-n", min=2, help="Samples of each run.")]
Period = Annotated[float, typer.Option("--period", help="Seconds of the board between samples; it idles.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Where the soak's folder is made.")]
HOURS_MAX = 24 * 366


def soak(
    hours: Hours = 1.0,
    virtual: Virtual = False,
    samples: Samples = 20,
    period: Period = 20.0,
    seed: options.Seed = 0,
    board: options.BoardName = "twin",
    out: Out = Path("runs"),
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Loop runs with random faults, watch memory and handles, and report; 1 unless all of it is sound."""
    from hil.boards import registry as boards
    from hil.boards.options import BoardOptions
    from hil.report.json_report import as_json as json_text
    from hil.report.soak import line
    from hil.session.provenance import base
    from hil.soak.result import Soak
    from hil.soak.soak import soak as run_soak

    if not 0 < hours <= HOURS_MAX:
        raise UsageError(f"a soak of {hours:g} hours", f"valid: above 0, up to {HOURS_MAX}")
    info = boards.get(board, BoardOptions()).info
    if virtual and not info.virtual_time:
        raise UsageError(f"{board} has no virtual time", "leave --virtual out")
    result = Soak(hours, virtual, seed, board, str(info.time_source), base(sys.argv))
    folder = _folder(out)
    try:
        run_soak(
            result,
            folder,
            samples=samples,
            period_s=period,
            progress=lambda one, so_far: print(line(one, so_far), file=sys.stderr, flush=True),
        )
    finally:
        if result.rounds:
            _report(result, folder)
    if as_json:
        sys.stdout.write(json_text(result.to_json()) + "\n")
    else:
        from hil.report.soak import soak_markdown

        typer.echo(soak_markdown(result))
        typer.echo(f"report: {folder / 'report.html'}")
    return 1 if result.reasons else 0


def _folder(out: Path) -> Path:
    folder = out / f"soak-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise SessionError(f"cannot make {folder}: {error.strerror}", "choose another --out") from None
    return folder


def _report(result: Soak, folder: Path) -> None:
    from hil.durable import write_whole
    from hil.report.soak import soak_markdown, soak_page

    try:
        write_whole(folder / "report.html", soak_page(result).encode())
        write_whole(folder / "soak.md", soak_markdown(result).encode())
    except OSError as error:
        raise SessionError(f"cannot write {folder}: {error.strerror}", "free some space") from None
