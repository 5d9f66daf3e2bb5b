"""Neighbourhoods on a terminal: the list of templates, the scores, and the anomalies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hil.neighbourhood.result import Anomaly, Neighbourhood, Result
from hil.neighbourhood.score import Score
from hil.neighbourhood.template import Template
from hil.report import format as fmt
from hil.report import glyphs as g
from hil.report.frame import new_table

GLYPHS: Final = {
    Score.ALL: g.DONE,
    Score.ALMOST_ALL: g.WARNING,
    Score.SOME: g.WRONG,
    Score.NONE: g.WRONG,
    Score.UNKNOWN: g.DASH,
}
_COLOURS: Final = {Score.ALL: g.GREEN, Score.ALMOST_ALL: g.ORANGE, Score.UNKNOWN: g.GREY}


def templates_table(templates: Sequence[Template]) -> Table:
    """What `hil neighbourhood list` shows."""
    table = new_table()
    table.add_column("template", style="bold", no_wrap=True)
    table.add_column("asks")
    table.add_column("over", overflow="fold")
    table.add_column("on", no_wrap=True)
    table.add_column("full run", justify="right")
    for each in templates:
        over = ", ".join(parameter.name for parameter in each.parameters if parameter.varies)
        table.add_row(each.name, each.question, over, str(each.where), str(each.full))
    return table


def parameters_text(parameters: Mapping[str, object]) -> str:
    """In one line; the simplest instance has none to name."""
    return " ".join(f"{name}={value}" for name, value in parameters.items()) or "the simplest instance"


def counted(count: int, noun: str) -> str:
    """`noun` in the singular or the plural."""
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {noun.removesuffix('y') + 'ies' if noun.endswith('y') else noun + 's'}"


def instances_text(anomaly: Anomaly) -> str:
    """How many failing instances it stands for."""
    return counted(len(anomaly.instances), "instance")


def remarks(each: Neighbourhood) -> list[str]:
    """What else has to be known about a neighbourhood."""
    found = [
        f"{batch.count} instances from {batch.first} on were not asked: {batch.reason}"
        for batch in each.unasked
    ]
    if each.unshrunk:
        found.append(f"{each.unshrunk} more failures belong to none of the anomalies")
    if each.partial:
        found.append("interrupted: the same command goes on where it was")
    return found


def result_view(result: Result, folder: Path) -> RenderableType:
    """Scores, anomalies, and where the rest lies."""
    parts: list[RenderableType] = [scores_table(result)]
    for each in result.neighbourhoods:
        parts += [_anomaly(each, anomaly) for anomaly in each.anomalies]
        parts += [Text(f"{each.template.name}: {remark}", style=g.ORANGE) for remark in remarks(each)]
    return Group(*parts, Text(f"in {folder}", style=g.GREY), Text(""))


def scores_table(result: Result) -> Table:
    """One row a template."""
    table = new_table()
    table.add_column("template", style="bold", no_wrap=True)
    table.add_column("instances", justify="right")
    table.add_column("passed", justify="right")
    table.add_column("score", no_wrap=True)
    table.add_column("anomalies", justify="right")
    table.add_column("took", justify="right")
    for each in result.neighbourhoods:
        table.add_row(
            each.template.name,
            str(each.asked),
            str(each.passed),
            Text(f"{GLYPHS[each.score]} {each.score}", style=_COLOURS.get(each.score, g.VERMILLION)),
            str(len(each.anomalies)),
            fmt.duration(each.seconds),
        )
    seconds = sum(each.seconds for each in result.neighbourhoods)
    table.add_section()
    totals = (str(result.asked), str(result.passed), "", str(result.anomalies), fmt.duration(seconds))
    table.add_row("all", *totals)
    return table


def _anomaly(each: Neighbourhood, anomaly: Anomaly) -> Text:
    words = "" if anomaly.repeatable else ", not repeatable"
    head = f"{each.template.name}: {parameters_text(anomaly.essential)} ({instances_text(anomaly)}{words})"
    return Text(f"{head}\n  {anomaly.detail}", style=g.VERMILLION)
