"""A comparison as Markdown, for the summary of a CI step."""

from __future__ import annotations

from hil.report.compare import REGRESSIONS, Comparison, Verdict
from hil.report.compare_table import MARKS
from hil.report.compare_text import HEAD, Row, conclusion, sections
from hil.report.markdown import escaped, row


def markdown(comparison: Comparison, a: str, b: str) -> str:
    """Conclusion and remarks first: they are what a reader of CI looks for."""
    mark = MARKS[Verdict.WORSE if comparison.regressions else Verdict.BETTER][0]
    lines = [
        f"### {escaped(b)} against {escaped(a)}",
        "",
        f"{mark} {escaped(conclusion(comparison))}",
        "",
    ]
    lines += [f"- {escaped(remark.message)}" for remark in comparison.remarks]
    if comparison.remarks:
        lines.append("")
    lines += [row((*HEAD, "")), row(("---", *["---:"] * (len(HEAD) - 1), "---"))]
    for section in sections(comparison):
        note = f" · {section.sources}" if section.sources else ""
        lines.append(row((f"**{section.group}**{escaped(note)}", *[""] * len(HEAD))))
        lines += [_figure(each) for each in section.rows]
    return "\n".join(lines) + "\n"


def _figure(of: Row) -> str:
    verdict = f"{MARKS[of.verdict][0]} {of.verdict}"
    cells = [escaped(cell.strip()) for cell in of.cells]
    return row((*cells, f"**{verdict}**" if of.verdict in REGRESSIONS else verdict))
