"""`hil compare`: what became better, and what worse, between two runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from hil.cli import complete, options
from hil.errors import UsageError, unknown_name

if TYPE_CHECKING:
    from hil.report.compare import Comparison

WIDTH_OF_A_LOG: Final = 110
"""Columns, where the output is no terminal."""

Baseline = Annotated[Path, typer.Argument(help="The run to compare with: its folder or summary.json.")]
New = Annotated[Path, typer.Argument(help="The run in question.")]
ThresholdsFile = Annotated[
    Path | None, typer.Option("--thresholds", "-t", help="A TOML file over the default thresholds.")
]
Only = Annotated[
    str,
    typer.Option(
        "--only", help="Groups of figures, with commas; all if not given.", autocompletion=complete.groups
    ),
]
Across = Annotated[
    bool, typer.Option("--across-sources", help="Compare figures also where their sources differ.")
]
Partial = Annotated[bool, typer.Option("--allow-partial", help="Take runs that ended early.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown, for the summary of a CI step.")]


def compare(
    baseline: Baseline,
    new: New,
    thresholds: ThresholdsFile = None,
    only: Only = "",
    across_sources: Across = False,
    allow_partial: Partial = False,
    markdown: Markdown = False,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Compare two runs; the exit code is 1 when a figure became worse than its threshold allows."""
    from hil.report.compare import compare as compare_summaries
    from hil.report.stored import read_summary
    from hil.report.thresholds import load

    if markdown and as_json:
        raise UsageError("--markdown and --json are two forms of one output", "take one of them")
    groups, rules = _groups(only), load(thresholds)
    a, b = (read_summary(path, allow_partial) for path in (baseline, new))
    comparison = compare_summaries(a, b, rules, groups, across_sources)
    _print(comparison, str(baseline), str(new), markdown, as_json)
    return 1 if comparison.regressions else 0


def _groups(only: str) -> tuple[str, ...]:
    from hil.report.figures import GROUPS

    named = tuple(name.strip() for name in only.split(",") if name.strip())
    for name in named:
        if name not in GROUPS:
            raise unknown_name("group of figures", name, GROUPS)
    return named or GROUPS


def _print(comparison: Comparison, a: str, b: str, as_markdown: bool, as_json: bool) -> None:
    if as_json:
        from hil.report.compare_json import as_values
        from hil.report.json_report import as_json as json_text

        sys.stdout.write(json_text(as_values(comparison, a, b)) + "\n")
    elif as_markdown:
        from hil.report.compare_markdown import markdown

        sys.stdout.write(markdown(comparison, a, b))
    else:
        from rich.console import Console

        from hil.report.compare_table import print_comparison

        console = Console() if sys.stdout.isatty() else Console(width=WIDTH_OF_A_LOG)
        print_comparison(console, comparison, a, b)
