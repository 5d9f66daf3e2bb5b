"""`hil neighbourhood`: parameterised questions, asked over their parameters."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hil.cli import complete, options

if TYPE_CHECKING:
    from hil.neighbourhood.result import Result

Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TEMPLATE]...",
        help="Some templates; `all` if none is given; or `list`, to see what there is.",
        autocompletion=complete.neighbourhoods,
    ),
]
Instances = Annotated[
    int | None,
    typer.Option("--instances", "-n", min=1, help="Of each template; as a full run has if not given."),
]
Board = Annotated[
    str,
    typer.Option(
        "--board",
        "-b",
        help="Where sessions run; on another than the twin only they are asked.",
        autocompletion=complete.boards,
    ),
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", "-j", min=1, help="Batches at a time; as many as there are cores.")
]
Out = Annotated[Path, typer.Option("--out", "-o", help="The folder for JSON and page.")]
Again = Annotated[bool, typer.Option("--again", help="Ask also what has been asked before.")]


def neighbourhood(
    names: Names = None,
    instances: Instances = None,
    seed: options.Seed = 0,
    board: Board = "twin",
    jobs: Jobs = None,
    again: Again = False,
    out: Out = Path("runs/neighbourhood"),
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Ask parameterised questions all over their parameters, and tell where nearly all pass and a few fail.

    Answers are kept: after an interrupt the same command goes on where it was. The exit code is 1 when an
    instance failed or could not be asked.
    """
    from hil.boards import registry as boards
    from hil.boards.options import BoardOptions
    from hil.cli.neighbourhood_bar import NeighbourhoodBar
    from hil.experiments.pool import ProcessPool
    from hil.neighbourhood import find
    from hil.neighbourhood.run import Inquiry, Wish

    if names == ["list"]:
        return _list(as_json)
    boards.get(board, BoardOptions())
    wish = Wish(find.chosen(names or [], board), instances, seed, board)
    with NeighbourhoodBar() as bar:
        pool = ProcessPool(jobs or len(os.sched_getaffinity(0)))
        inquiry = Inquiry(wish, pool, bar.report, again=again)
        try:
            inquiry.run()
        finally:
            result = inquiry.result()
            _keep(result, out)
    _show(result, out, as_json)
    return 0 if result.clean else 1


def _list(as_json: bool) -> int:
    from hil.neighbourhood.find import templates

    if as_json:
        rows = [{"name": each.name, "question": each.question, "full": each.full} for each in templates()]
        sys.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
        return 0
    from rich.console import Console

    from hil.report.neighbourhood import templates_table
    from hil.report.wide import wide

    wide(Console()).print(templates_table(templates()))
    return 0


def _keep(result: Result, out: Path) -> None:
    from hil.neighbourhood.result import save
    from hil.report.neighbourhood_page import neighbourhood_page

    file = save(result, out)
    file.with_name("report.html").write_text(neighbourhood_page(result), encoding="utf-8")


def _show(result: Result, out: Path, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(result.to_json(), ensure_ascii=False) + "\n")
        return
    from rich.console import Console

    from hil.report.neighbourhood import result_view
    from hil.report.wide import wide

    wide(Console()).print(result_view(result, out))
