"""The page of an experiment: question, paper, table, charts, what failed, and how to do it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

import hil
from hil.experiments.experiment import Column
from hil.experiments.result import CellResult, Result
from hil.report import glyphs as g
from hil.report.experiment_plots import chart_svg
from hil.report.experiment_tables import cell_command, cell_name, origins_of
from hil.report.experiments import shown_columns, value_text
from hil.report.fields import number
from hil.report.html import ORIGINS, page
from hil.report.run_head import Verdict
from hil.report.run_page import Drawing, provenance


@dataclass(frozen=True)
class Head:
    """A column's."""

    title: str
    unit: str
    numeric: bool
    origins: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """A cell of the table: what is shown, and what it is sorted by."""

    text: str
    value: str
    numeric: bool


def experiment_page(result: Result, drawings: Sequence[Drawing] | None = None) -> str:
    """One HTML file that needs nothing else; `drawings` are its charts, where they are drawn already."""
    columns = shown_columns(result)
    heads = [Head(c.title, c.unit, _is_numeric(result, c), origins_of(result, c.key)) for c in columns]
    drawings = charts(result) if drawings is None else drawings
    anchors = [("beside", "Beside the paper"), ("table", "Table"), ("charts", "Charts")]
    anchors += [("failed", "Not measured"), ("cells", "Cells"), ("provenance", "Provenance")]
    anchors += [("origins", "Origins")]
    absent = {"beside": not result.beside, "charts": not drawings, "failed": not result.failed}
    return page(
        "experiment.html",
        result=result,
        sections=[anchor for anchor in anchors if not absent.get(anchor[0])],
        verdict=_verdict(result),
        facts=_facts(result),
        heads=heads,
        rows=[[_entry(c, cell.value(c.key), h.numeric) for c, h in zip(columns, heads, strict=True)]
              for cell in result.measured],
        drawings=drawings,
        cells=[_row(result, cell) for cell in result.cells],
        provenance=provenance(result.provenance),
        used_origins=_used(result),
        version=hil.__version__,
    )  # fmt: skip


def charts(result: Result) -> list[Drawing]:
    """Those that have something to draw."""
    found = []
    for number_of, chart in enumerate(result.charts, 1):
        svg = chart_svg(result, chart, f"chart-{number_of}")
        if svg is not None:
            origins = dict.fromkeys((*origins_of(result, chart.y), *origins_of(result, chart.x)))
            found.append(Drawing(Markup(svg), chart.title, tuple(origins)))
    return found


def _verdict(result: Result) -> Verdict:
    failed, all_of = len(result.failed), len(result.cells)
    if result.partial:
        sentence = "It was interrupted; the same command goes on where it was."
        return Verdict("bad", g.WARNING, "Cells are missing.", sentence, ())
    if failed:
        sentence = "The reasons are below; the same command repeats only these."
        return Verdict("bad", g.WRONG, f"{failed} of {all_of} cells could not be measured.", sentence, ())
    word, sentence = f"All {all_of} cells were measured.", ""
    if result.quick:
        sentence = "This is a quick run: fewer values and fewer samples than the whole experiment has."
        return Verdict("remark", g.WARNING, word, sentence, ())
    return Verdict("good", g.DONE, word, sentence, ())


def _facts(result: Result) -> list[tuple[str, str]]:
    fixed = [(name.replace("_", " "), str(value)) for name, value in result.fixed.items()]
    return [*fixed, ("at", str(result.provenance.get("time_utc") or g.DASH))]


def _is_numeric(result: Result, column: Column) -> bool:
    values = [cell.value(column.key) for cell in result.measured]
    return not any(isinstance(value, str) for value in values)


def _entry(column: Column, value: Any, numeric: bool) -> Entry:
    real = number(value)
    text = value_text(column, value)
    return Entry(text, text if not numeric else "" if real is None else repr(real), numeric)


def _row(result: Result, cell: CellResult) -> dict[str, Any]:
    return {
        "name": cell_name(result, cell),
        "command": cell_command(result, cell),
        "error": cell.error,
        "seconds": f"{cell.seconds:.1f} s" if cell.seconds else g.DASH,
        "kept": "yes" if cell.cached else "no",
        "key": cell.key or g.DASH,
    }


def _used(result: Result) -> list[str]:
    found = dict.fromkeys(str(source) for cell in result.measured for source in cell.sources.values())
    known = [name for name in ORIGINS if name in found]
    return [*known, *(name for name in found if name not in ORIGINS)]
