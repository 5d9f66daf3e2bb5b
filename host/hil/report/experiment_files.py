"""What an experiment's folder holds beside `experiment.json`: table, charts and page."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from hil.errors import UsageError
from hil.experiments.result import Result
from hil.report.experiment_page import charts, experiment_page
from hil.report.experiment_tables import experiment_csv, experiment_markdown
from hil.report.svg_figure import standalone

PAGE, MARKDOWN, CSV = "report.html", "table.md", "table.csv"


def write_files(result: Result, folder: Path) -> list[Path]:
    """Writes table.md, table.csv, an SVG for each chart, and report.html into `folder`; returns them.

    Raises UsageError where it cannot write.
    """
    drawings = charts(result)
    contents = {
        MARKDOWN: experiment_markdown(result),
        CSV: experiment_csv(result),
        PAGE: experiment_page(result, drawings),
    }
    for drawing in drawings:
        contents[_file_name(drawing.caption, contents.keys())] = standalone(str(drawing.svg))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in contents.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot write {folder}: {error.strerror}", "make room there, or name another folder"
        ) from None
    return [folder / name for name in contents]


def _file_name(title: str, taken: Collection[str]) -> str:
    """A chart's title as a file name that no other chart has."""
    stem = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "chart"
    name, number = f"{stem}.svg", 2
    while name in taken:
        name, number = f"{stem}-{number}.svg", number + 1
    return name
