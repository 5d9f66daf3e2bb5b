"""`hil verify`: whether run folders still hold what their runs left."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hil.cli import options
from hil.errors import UsageError

if TYPE_CHECKING:
    from hil.session.manifest import Verification

Runs = Annotated[
    list[Path], typer.Argument(metavar="RUN...", help="Run folders; of a folder of runs, all in it.")
]


def verify(runs: Runs, as_json: options.Json = False, verbose: options.Verbose = False) -> int:
    """Hold every file of a run against its manifest; the exit code is 1 unless all of them are intact."""
    from hil.report.verification import as_lines, as_values
    from hil.session.manifest import State, verify

    found: list[Verification] = [verify(folder) for run in runs for folder in _folders(run)]
    if as_json:
        from hil.report.json_report import as_json as json_text

        sys.stdout.write(json_text(as_values(found)) + "\n")
    else:
        for line in as_lines(found):
            typer.echo(line)
    return 0 if all(one.state is State.INTACT for one in found) else 1


def _folders(path: Path) -> list[Path]:
    from hil.report.stored import is_run, runs_in

    if not path.is_dir():
        raise UsageError(f"{path} is no folder", "name a folder that hil run made")
    return [path] if is_run(path) else runs_in(path) or [path]
