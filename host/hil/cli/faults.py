"""`hil faults`: runs with faults of every kind, until each was injected so often, and how they ended."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from hil.cli import complete, options

Kinds = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[KIND]...", help="Kinds of faults; all if none is named.", autocompletion=complete.kinds
    ),
]
Count = Annotated[
    int | None,
    typer.Option("--count", min=1, help="Inject each so often; else as often as is usual for its kind."),
]
Out = Annotated[
    Path, typer.Option("--out", "-o", help="Where finished runs are kept, for a campaign that goes on.")
]
Page = Annotated[
    Path | None, typer.Option("--page", help="Also write the table into this page, between its marks.")
]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown.")]


def faults(
    kinds: Kinds = None,
    count: Count = None,
    seed: options.Seed = 0,
    board: options.BoardName = "twin",
    out: Out = Path("runs/faults"),
    page: Page = None,
    markdown: Markdown = False,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Inject faults until each kind took place often enough, and judge what came of every one."""
    from rich.console import Console

    from hil.cli.bench_bar import BenchBar
    from hil.faults import registry
    from hil.faults.campaign import campaign
    from hil.report import faults as report

    names = [registry.get(name).name for name in kinds or registry.KINDS]
    written = page.read_text(encoding="utf-8") if page else ""
    with BenchBar() as bar:
        totals = campaign(names, count, seed, board, out, bar.report)
    if page:
        page.write_text(report.on_page(written, totals), encoding="utf-8")
    if as_json:
        sys.stdout.write(json.dumps(report.totals_values(totals), indent=2) + "\n")
    elif markdown:
        sys.stdout.write(report.totals_markdown(totals))
    else:
        Console(width=140 if not sys.stdout.isatty() else None).print(report.totals_table(totals))
    strange = [line for total in totals for line in total.strange]
    for line in strange:
        print(f"never meant to be: {line}", file=sys.stderr)
    return 1 if strange else 0
