"""`hil bench`: figures that take minutes, as one table. Here is `accuracy`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hil.cli import options
from hil.cli.bench_kernels import firmware, kernels
from hil.cli.bench_server import server
from hil.errors import HilError, UsageError

if TYPE_CHECKING:
    from hil.bench.accuracy import Settings
    from hil.bench.row import AccuracyRow

app = typer.Typer(help="Benchmarks: figures that take minutes.", no_args_is_help=True)

Schemes = Annotated[
    list[str] | None, typer.Option("--scheme", "-s", help="Only this scheme; may be given again.")
]
Bundles = Annotated[
    list[Path] | None, typer.Option("--bundle", help="This bundle instead; may be given again.")
]
Samples = Annotated[int, typer.Option("--samples", min=0, help="Of the test split, on the host; 0 for all.")]
TwinSamples = Annotated[int, typer.Option("--twin", min=0, help="Samples on the twin; 0 for none.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Where the run folders of the twin's part are made.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown.")]
Again = Annotated[bool, typer.Option("--again", help="Measure also what has been measured before.")]


app.command()(kernels)
app.command()(firmware)
app.command()(server)


@app.callback()
def bench() -> None:
    """Benchmarks: figures that take minutes."""


@app.command()
def accuracy(
    dataset: options.Dataset = None,
    schemes: Schemes = None,
    bundles: Bundles = None,
    samples: Samples = 0,
    twin: TwinSamples = 1000,
    radio: options.Radio = "wifi-6m",
    out: Out = Path("runs"),
    again: Again = False,
    markdown: Markdown = False,
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Accuracy of every scheme: in float, in int8 on the host, and as firmware on the twin.

    Takes the bundle of your own training where the cache has one, else the one that comes with hil. A
    bundle that cannot be measured is named with its reason, the others are measured all the same, and
    the exit code is 1.
    """
    if markdown and as_json:
        raise UsageError("--markdown and --json are two forms of one output", "take one of them")
    if bundles and (schemes or dataset):
        raise UsageError("a bundle knows its scheme and data set", "leave --scheme and --dataset out")
    from hil.bench.accuracy import Settings
    from hil.link import parse_radio

    parse_radio(radio)  # a typing error costs a second, not minutes
    settings = Settings(samples, twin, radio, data_dir, out)
    rows, failed = _measure(bundles or _found(schemes, dataset), settings, again)
    _print(rows, failed, markdown, as_json)
    return 1 if failed else 0


def _found(schemes: Sequence[str] | None, dataset: str | None) -> list[Path]:
    """A bundle of each scheme. Raises UsageError where one has neither been trained nor shipped."""
    from hil import data
    from hil.pipeline import DATASET
    from hil.schemes import registry
    from hil.zoo.shelf import names
    from hil.zoo.trained import trained

    dataset = data.get(dataset or DATASET).name
    wanted = [registry.get(name).name for name in schemes or registry.names()]
    found = {name: trained(name, dataset) for name in wanted}
    if missing := [name for name, path in found.items() if path is None]:
        raise UsageError(
            f"there is no bundle of {missing[0]} for {dataset}",
            f"hil train --scheme {missing[0]} --dataset {dataset}; shipped: {', '.join(names())}",
        )
    return [path for path in found.values() if path is not None]


def _measure(
    paths: Sequence[Path], settings: Settings, again: bool
) -> tuple[list[AccuracyRow], dict[str, str]]:
    from hil.bench.accuracy import measure
    from hil.cli.bench_bar import BenchBar

    rows, failed = [], {}
    with BenchBar() as bar:
        for path in paths:
            try:
                rows.append(measure(path, settings, bar.report, again))
            except HilError as error:
                failed[path.name] = f"{error.message}; {error.hint}" if error.hint else error.message
    return rows, failed


def _print(rows: Sequence[AccuracyRow], failed: dict[str, str], markdown: bool, as_json: bool) -> None:
    from rich.console import Console

    from hil.bench.row import as_values
    from hil.report.accuracy import accuracy_markdown, accuracy_table

    if as_json:
        report = {"rows": [as_values(row) for row in rows], "failed": failed}
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
    elif markdown:
        sys.stdout.write(accuracy_markdown(rows))
    elif rows:
        Console().print(accuracy_table(rows))
    errors = Console(stderr=True)
    for name, reason in failed.items():
        errors.print(f"{name} was not measured: {reason}", markup=False, highlight=False)
