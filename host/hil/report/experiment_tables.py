"""An experiment's table and its rest as text: Markdown, CSV, JSON, JUnit XML."""

from __future__ import annotations

import csv
import io
import json
import shlex
from collections.abc import Iterable, Iterator
from typing import Any

from hil.experiments.experiment import Column
from hil.experiments.result import CellResult, Result
from hil.report.experiments import heading, shown_columns, value_text
from hil.report.fields import finite
from hil.report.json_report import as_json
from hil.report.junit import Case, Problem, junit
from hil.report.markdown import escaped, row


def origins_of(result: Result, key: str) -> tuple[str, ...]:
    """The origins of one figure over all cells; none for what is counted, or a setting."""
    found = (cell.sources.get(key) for cell in result.measured)
    return tuple(dict.fromkeys(str(source) for source in found if source))


def cell_name(result: Result, cell: CellResult) -> str:
    """What tells a cell from the others."""
    return ", ".join(f"{name}={cell.settings.get(name)}" for name in result.variables) or result.name


def cell_command(result: Result, cell: CellResult) -> str:
    """Measures this cell alone, with what the experiment has fixed."""
    changes = []
    for name in result.variables:
        value = cell.settings.get(name)
        word = value if isinstance(value, str) else json.dumps(value)
        changes += ["--set", shlex.quote(f"{name}={word}")]
    return " ".join([result.command, *changes])


def experiment_json(result: Result) -> str:
    """The whole result."""
    return as_json(finite(result.to_json())) + "\n"


def experiment_csv(result: Result) -> str:
    """One row a cell: its variables, every figure of any cell, why it failed."""
    names = list(dict.fromkeys(name for cell in result.cells for name in cell.figures))
    variables = [name for name in result.variables if name not in names]
    stream = io.StringIO()
    lines = csv.writer(stream, lineterminator="\n")
    lines.writerow([*variables, *names, "seconds", "error"])
    for cell in result.cells:
        error = "" if cell.error is None else f"{cell.error.code}: {cell.error.message}"
        values = [cell.settings.get(name) for name in variables] + [cell.figures.get(name) for name in names]
        lines.writerow([*(_plain(value) for value in values), f"{cell.seconds:.3f}", error])
    return stream.getvalue()


def experiment_markdown(result: Result) -> str:
    """Question, paper beside ours, the table with its origins, the failed cells, the command."""
    lines = [f"### {escaped(result.name)}: {escaped(result.question)}", "", escaped(result.paper), ""]
    if result.beside:
        lines += [row(("figure", "paper", "here", "")), row(("---",) * 4)]
        for each in result.beside:
            lines.append(row(map(escaped, (each.figure, each.paper, each.ours, each.word))))
        lines.append("")
    columns = shown_columns(result)
    lines += [row(escaped(heading(column)) for column in columns), row(_rules(result, columns))]
    for cell in result.measured:
        lines.append(row(escaped(value_text(column, cell.value(column.key))) for column in columns))
    origins = [escaped(", ".join(origins_of(result, column.key))) for column in columns]
    if any(origins):
        lines.append(row(f"*{text}*" if text else "" for text in origins))
    lines.append("")
    lines += [
        f"- not measured: {escaped(cell_name(result, cell))}: {escaped(cell.error.message)}"
        for cell in result.failed
        if cell.error is not None
    ]
    lines += [""] if result.failed else []
    lines += ["Interrupted: cells are missing.", ""] if result.partial else []
    command = result.command.replace("`", "")
    return "\n".join([*lines, f"`{command}`"]) + "\n"


def experiment_junit(result: Result) -> str:
    """Each cell a test case; one that could not be measured is an error."""
    properties = {"question": result.question, "command": result.command, "quick": str(result.quick).lower()}
    cases = list(_cases(result))
    if result.partial:
        problem = Problem("partial", "the experiment was interrupted: cells are missing", "run it again")
        cases.append(Case("complete", problem))
    return junit(f"hil experiment: {result.name}", cases, properties)


def _cases(result: Result) -> Iterator[Case]:
    for cell in result.cells:
        error, problem = cell.error, None
        if error is not None:
            problem = Problem(error.code, error.message, error.hint, is_error=True)
        output = "\n".join(f"{name}: {_plain(value)}" for name, value in cell.figures.items())
        yield Case(cell_name(result, cell), problem, seconds=cell.seconds, output=output)


def _rules(result: Result, columns: Iterable[Column]) -> Iterator[str]:
    """Numbers to the right."""
    for column in columns:
        values = [cell.value(column.key) for cell in result.measured]
        yield "---" if any(isinstance(value, str) for value in values) else "---:"


def _plain(value: Any) -> str:
    """As a program reads it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
