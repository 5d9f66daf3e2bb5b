"""`hil experiment`: the papers' experiments, one or all, to tables, plots and pages."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hil.cli import complete, options

if TYPE_CHECKING:
    from hil.experiments.conduct import Conductor
    from hil.experiments.pool import Pool
    from hil.experiments.result import Result

Name = Annotated[
    str,
    typer.Argument(
        help="An experiment; `all` of them; or `list`, to see what there is.",
        autocompletion=complete.experiments,
    ),
]
Datasets = Annotated[
    list[str] | None,
    typer.Option(
        "--dataset", "-d", help="On this data set; may be given again.", autocompletion=complete.datasets
    ),
]
Quick = Annotated[bool, typer.Option("--quick", help="Fewer values, fewer samples: minutes, not hours.")]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE,…", help="Other values of a variable; may be given again for others."
    ),
]
Board = Annotated[
    str | None,
    typer.Option("--board", "-b", help="Where device halves run.", autocompletion=complete.boards),
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", "-j", min=1, help="Cells at a time; as many as there are cores.")
]
Dask = Annotated[
    str | None,
    typer.Option("--dask", metavar="ADDRESS", help="Hand the cells to the Dask cluster at this address."),
]
Out = Annotated[Path, typer.Option("--out", "-o", help="Where the experiments' folders are made.")]
Again = Annotated[bool, typer.Option("--again", help="Measure also what has been measured before.")]


def experiment(
    name: Name,
    dataset: Datasets = None,
    quick: Quick = False,
    changes: Changes = None,
    board: Board = None,
    jobs: Jobs = None,
    dask: Dask = None,
    again: Again = False,
    out: Out = Path("runs/experiments"),
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Run the paper's experiments, and ours beyond it; each ends in a table, plots and a page.

    Finished cells are kept: after an interrupt the same command goes on where it was. A cell that cannot be
    measured is named with its reason, the others are measured all the same, and the exit code is 1.
    """
    if name == "list":
        return _list(as_json)
    from hil.cli.experiment_bar import ExperimentBar
    from hil.experiments import registry
    from hil.experiments.choose import Wish
    from hil.experiments.conduct import Conductor, plan
    from hil.experiments.measure import Context

    chosen = registry.EXPERIMENTS if name == "all" else (registry.get(name),)
    wish = Wish(tuple(dataset or ()), quick, board, tuple(changes or ()))
    context = Context(data_dir and data_dir.absolute())
    planned = plan(chosen, wish, context)
    varying = {name for each in planned for name in each.chosen.varies}
    with _pool(jobs, dask) as pool, ExperimentBar(varying) as bar:
        conductor = Conductor(planned, wish, context, pool, bar.report, again=again)
        try:
            conductor.run()
        finally:
            results = _keep(conductor, out)
    _show(results, out, as_json)
    return 1 if any(result.failed for result in results) else 0


def _list(as_json: bool) -> int:
    from hil.experiments.registry import EXPERIMENTS

    if as_json:
        rows = [{"name": each.name, "question": each.question, "paper": each.paper} for each in EXPERIMENTS]
        sys.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
        return 0
    from rich.console import Console

    from hil.report.experiments import experiments_table

    Console().print(experiments_table(EXPERIMENTS))
    return 0


def _pool(jobs: int | None, dask: str | None) -> AbstractContextManager[Pool]:
    """This machine's cores, or a cluster's workers. Raises UsageError where there is no cluster."""
    import os

    from hil.errors import UsageError

    if dask is None:
        from hil.experiments.pool import ProcessPool

        return nullcontext(ProcessPool(jobs or len(os.sched_getaffinity(0))))
    if jobs is not None:
        raise UsageError("--jobs beside --dask", "a cluster takes as many cells as it has workers")
    from hil.experiments.dask_pool import DaskPool

    return DaskPool(dask)


def _keep(conductor: Conductor, out: Path) -> list[Result]:
    """What there is so far, on disk: the result, and what is drawn from it."""
    from hil.experiments import folder
    from hil.report.experiment_files import write_files

    results = conductor.results()
    for result in results:
        write_files(result, folder.save(result, out))
    return results


def _show(results: Sequence[Result], out: Path, as_json: bool) -> None:
    if as_json:
        report = [result.to_json() for result in results]
        sys.stdout.write(json.dumps(report if len(report) > 1 else report[0], ensure_ascii=False) + "\n")
        return
    from rich.console import Console

    from hil.experiments import folder
    from hil.report.experiments import result_view
    from hil.report.wide import wide

    console = wide(Console())
    for result in results:
        console.print(result_view(result, folder.path(result, out)))
