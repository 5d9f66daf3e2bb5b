"""A comparison as Markdown, for the summary of a CI step."""

from __future__ import annotations

from collections.abc import Iterable

from hil.report.compare import REGRESSIONS, Comparison, Verdict
from hil.report.compare_table import MARKS
from hil.report.compare_text import HEAD, Row, conclusion, sections


def markdown(comparison: Comparison, a: str, b: str) -> str:
    """Conclusion and remarks first: they are what a reader of CI looks for."""
    mark = MARKS[Verdict.WORSE if comparison.regressions else Verdict.BETTER][0]
    lines = [
        f"### {_escaped(b)} against {_escaped(a)}",
        "",
        f"{mark} {_escaped(conclusion(comparison))}",
        "",
    ]
    lines += [f"- {_escaped(remark.message)}" for remark in comparison.remarks]
    if comparison.remarks:
        lines.append("")
    lines += [_line((*HEAD, "")), _line(("---", *["---:"] * (len(HEAD) - 1), "---"))]
    for section in sections(comparison):
        note = f" · {section.sources}" if section.sources else ""
        lines.append(_line((f"**{section.group}**{_escaped(note)}", *[""] * len(HEAD))))
        lines += [_figure(row) for row in section.rows]
    return "\n".join(lines) + "\n"


def _figure(row: Row) -> str:
    verdict = f"{MARKS[row.verdict][0]} {row.verdict}"
    cells = [_escaped(cell.strip()) for cell in row.cells]
    return _line((*cells, f"**{verdict}**" if row.verdict in REGRESSIONS else verdict))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    """Names are others': none may end a cell or become markup."""
    for character in "\\|*_`<[":
        text = text.replace(character, "\\" + character)
    return text.replace("\n", " ")
