"""`hil report`: a run, or an experiment, as a page that needs nothing else; or for programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from hil.cli import complete, options
from hil.errors import UsageError, unknown_name

PAGE: Final = "report.html"

What = Annotated[
    Path,
    typer.Argument(
        metavar="RUN|EXPERIMENT",
        help="The folder of a run or of an experiment; of a folder of runs the latest one.",
    ),
]
Format = Annotated[
    str,
    typer.Option(
        "--format",
        "-f",
        help="html, json, csv, md or junit.",
        autocompletion=complete.report_formats,
    ),
]
Out = Annotated[
    str | None,
    typer.Option(
        "--out", "-o", help=f"The file, or - for stdout; if not given {PAGE} in the folder, else stdout."
    ),
]
With = Annotated[
    list[Path] | None,
    typer.Option("--with", "-w", help="Show this run of the same data set beside it; may be given again."),
]


def report(
    what: What,
    format_name: Format = "html",
    out: Out = None,
    others: With = None,
    bundle: options.BundleFile = None,
    data_dir: options.DataDir = None,
    verbose: options.Verbose = False,
) -> int:
    """Report a run or an experiment: one HTML page with everything, or JSON, CSV, Markdown, JUnit XML."""
    from hil.report.formats import FORMATS

    if format_name not in FORMATS:
        raise unknown_name("format", format_name, FORMATS)
    folder, text = _written(what, format_name, others or [], bundle, data_dir)
    if out == "-" or (out is None and format_name != "html"):
        sys.stdout.write(text)
        return 0
    target = Path(out) if out is not None else folder / PAGE
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}", "name another file with --out") from None
    typer.echo(str(target))
    return 0


def _is_experiment(what: Path) -> bool:
    from hil.experiments.result import FILE

    return (what / FILE).is_file() or (what.name == FILE and what.is_file())


def _experiment(what: Path, format_name: str, others: list[Path]) -> tuple[Path, str]:
    from hil.experiments import folder
    from hil.report import experiment_tables
    from hil.report.experiment_page import experiment_page

    if others:
        raise UsageError("--with sets runs beside a run", f"{what} is an experiment: leave --with out")
    writers = {
        "html": experiment_page,
        "json": experiment_tables.experiment_json,
        "csv": experiment_tables.experiment_csv,
        "md": experiment_tables.experiment_markdown,
        "junit": experiment_tables.experiment_junit,
    }
    return what if what.is_dir() else what.parent, writers[format_name](folder.load(what))


def _written(
    what: Path, format_name: str, others: list[Path], bundle: Path | None, data_dir: Path | None
) -> tuple[Path, str]:
    """The folder of `what`, and its report."""
    from hil.report.run_data import find_run, read_run

    if _is_experiment(what):
        return _experiment(what, format_name, others)
    data = read_run(what)
    found = find_run(what)
    folder = found if found.is_dir() else found.parent
    if format_name == "html":
        from hil.report.run_page import run_page

        return folder, run_page(data, [read_run(other) for other in others], data_dir, bundle)
    if others:
        raise UsageError("--with draws runs beside each other on the page", "leave --format out")
    from hil.report import run_formats

    writers = {
        "json": run_formats.run_json,
        "csv": run_formats.run_csv,
        "md": run_formats.run_markdown,
        "junit": run_formats.run_junit,
    }
    return folder, writers[format_name](data)
