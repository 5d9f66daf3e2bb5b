"""A run's report for programs: its figures as CSV, Markdown and JSON, its checks as JUnit XML."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from hil.report import glyphs as g
from hil.report.compare_text import written
from hil.report.fields import finite, inner, number
from hil.report.figures import Figure, Unit, figures, issues
from hil.report.json_report import as_json
from hil.report.junit import Case, Problem, junit
from hil.report.markdown import escaped, row
from hil.report.run_data import RunData
from hil.report.run_head import facts, title, verdict
from hil.session.verdict import INVALIDATING

_COUNTED: Final = ("accuracy", "payload", "link")


def run_json(data: RunData) -> str:
    """The summary, and every figure of it with its unit and origins."""
    shown = [
        {"key": figure.key, "value": figure.value, "unit": str(figure.unit), "origins": _origins(figure)}
        for figure in figures(data.summary).values()
    ]
    report: dict[str, Any] = {
        "kind": "run",
        "name": data.name,
        "verdict": asdict(verdict(data.summary)),
        "figures": shown,
        "missing": dict(data.missing),
        "summary": dict(data.summary),
    }
    return as_json(finite(report)) + "\n"


def run_csv(data: RunData) -> str:
    """One row for each figure."""
    stream = io.StringIO()
    lines = csv.writer(stream, lineterminator="\n")
    lines.writerow(("key", "value", "unit", "origins"))
    for figure in figures(data.summary).values():
        value = "" if figure.value is None else repr(figure.value)
        lines.writerow((figure.key, value, str(figure.unit), " ".join(_origins(figure))))
    return stream.getvalue()


def run_markdown(data: RunData) -> str:
    """Verdict, issues, figures."""
    found = verdict(data.summary)
    lines = [f"### {escaped(title(data.summary))}", ""]
    lines += [", ".join(f"{label} {escaped(value)}" for label, value in facts(data.summary)), ""]
    lines += [f"{found.glyph} **{found.word}** {found.sentence}", ""]
    lines += [f"- {escaped(issue['code'])}: {escaped(issue['message'])}" for issue in found.issues]
    lines += [""] if found.issues else []
    lines += [row(("figure", "value", "origin")), row(("---", "---:", "---"))]
    for figure in figures(data.summary).values():
        label = escaped(figure.label.strip())
        lines.append(row((label, written(figure.value, figure.unit), escaped(", ".join(_origins(figure))))))
    return "\n".join(lines) + "\n"


def run_junit(data: RunData) -> str:
    """What must hold for a run's figures to be used, a test case each."""
    provenance = inner(data.summary, "provenance")
    properties = {label: value for label, value in facts(data.summary) if value != g.DASH}
    properties |= {name: str(provenance[name]) for name in ("hil", "git_commit") if provenance.get(name)}
    return junit(f"hil run: {title(data.summary)}", list(_cases(data)), properties)


def _cases(data: RunData) -> Iterator[Case]:
    """Completeness, agreement, failures, whatever else makes a run invalid, and validity itself."""
    by_code = {str(issue.get("code")): issue for issue in issues(data.summary)}
    agreement = number(data.summary.get("host_agreement"))
    for code in sorted(INVALIDATING):
        issue = by_code.get(code)
        problem = None
        if issue is not None:
            problem = Problem(code, str(issue.get("message")), str(issue.get("hint") or ""))
        elif code == "partial" and data.summary.get("partial"):
            problem = Problem(code, "the run ended early", "run it again")
        skipped = "no host reference was asked" if code == "disagreement" and agreement is None else ""
        yield Case(f"no {code}", problem, "" if problem else skipped)
    output = "\n".join(_line(figure) for figure in figures(data.summary).values())
    valid = data.summary.get("valid") is True
    yield Case(
        "valid",
        None if valid else Problem("invalid", "the run is not valid", "see its issues"),
        output=output,
    )


def _line(figure: Figure) -> str:
    origins = f" ({', '.join(_origins(figure))})" if figure.unit is not Unit.FLAG else ""
    return f"{figure.key}: {written(figure.value, figure.unit)}{origins}"


def _origins(figure: Figure) -> tuple[str, ...]:
    if figure.sources or figure.value is None:
        return figure.sources
    return ("elf",) if figure.group == "memory" else ("counted",) if figure.group in _COUNTED else ()
