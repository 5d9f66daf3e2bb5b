"""`hil data`: which data sets there are and where they lie; `hil data fetch` gets one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hil.cli import complete, options

app = typer.Typer(help="List data sets, or get one from its publisher.")

Names = Annotated[
    list[str], typer.Argument(help="Data sets, as `hil data` lists them.", autocompletion=complete.datasets)
]


@app.callback(invoke_without_command=True)
def list_all(
    context: typer.Context,
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """List the data sets that `--dataset` takes, and where each lies."""
    if context.invoked_subcommand is not None:
        return 0
    rows = [_row(name, data_dir) for name in _registry().names()]
    if as_json:
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
        return 0
    from rich.console import Console

    from hil.report.datasets import datasets_table

    Console().print(datasets_table(rows))
    return 0


@app.command()
def fetch(names: Names, data_dir: options.DataDir = None, verbose: options.Verbose = False) -> int:
    """Download data sets from their publishers, check their sums and unpack them."""
    from hil.cli.download_bar import DownloadBar
    from hil.data import folders
    from hil.data.fetch import fetch as get
    from hil.errors import UsageError

    place = folders.place(data_dir)
    for dataset in [_registry().get(name) for name in names]:
        if dataset.source is None or not dataset.source.downloads:
            why = dataset.source.how if dataset.source else "it ships with a package"
            raise UsageError(f"{dataset.name} is nowhere to download", why)
        with DownloadBar() as bar:
            print(get(dataset.source, place, bar.report))
    return 0


def _registry() -> Any:
    from hil.data import registry

    return registry


def _row(name: str, data_dir: Path | None) -> dict[str, Any]:
    from hil.data import folders
    from hil.errors import DataError

    dataset = _registry().get(name)
    row = {"name": name, "classes": dataset.classes, "shape": list(dataset.shape)}
    if dataset.source is None:
        return row | {"place": "built in", "present": True}
    try:
        return row | {"place": str(folders.find(dataset.source, data_dir)), "present": True}
    except DataError:
        source = dataset.source
        get = f"`hil data fetch {name}` ({source.megabytes} MB)" if source.downloads else source.how
        return row | {"place": get, "present": False}
