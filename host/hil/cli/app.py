"""The verbs, put together. Nothing here or above imports what a verb needs: `hil --help` is instant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

import hil
from hil.cli import (
    bench,
    boards,
    build,
    compare,
    data,
    doctor,
    experiment,
    faults,
    neighbourhood,
    report,
    run,
    serve,
    sign,
    soak,
    timeline,
    train,
    twin,
    verify,
    zoo,
)

_VERBS = (
    run.run,
    experiment.experiment,
    faults.faults,
    neighbourhood.neighbourhood,
    soak.soak,
    report.report,
    compare.compare,
    verify.verify,
    timeline.timeline,
    train.train,
    build.build,
    serve.serve,
    twin.twin,
    boards.boards,
    zoo.zoo,
    sign.keygen,
    sign.sign,
    doctor.doctor,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hil {hil.__version__}")
        raise typer.Exit


def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show tracebacks of errors.")] = False,
) -> None:
    """Hardware-in-the-loop testbed for neural networks that are cut in two.

    Start with: hil run
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def make_app() -> typer.Typer:
    """A fresh application with all verbs."""
    app = typer.Typer(
        name="hil",
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_root)
    for verb in _VERBS:
        app.command(verb.__name__)(verb)
    app.add_typer(data.app, name="data")
    app.add_typer(bench.app, name="bench")
    return app


def invoke(arguments: Sequence[str]) -> int:
    """Runs the verb in `arguments` and returns its exit code; errors are raised, not printed."""
    command = typer.main.get_command(make_app())
    return int(command.main(args=list(arguments), prog_name="hil", standalone_mode=False) or 0)
