"""docs/results.md as far as experiments write it: our figures beside the paper's, then every table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from hil.experiments.result import Result
from hil.report.experiment_tables import experiment_markdown
from hil.report.markdown import escaped, row

MARK: Final = "<!-- below here tools/results writes -->"
"""What stands above it is written by hand."""


def results_markdown(results: Sequence[Result]) -> str:
    """Both parts, in the order of `results`."""
    return "\n".join([_beside(results), "## Experiment by experiment", "", *map(_section, results)])


def _beside(results: Sequence[Result]) -> str:
    """Each figure of the paper, ours, the plain word between them, and what measures ours."""
    lines = ["## Beside the paper", "", row(("", "paper", "here", "", "by")), row(("---",) * 5)]
    for result in results:
        for each in result.beside:
            texts = map(escaped, (each.figure, each.paper, each.ours, each.word))
            lines.append(row((*texts, f"[{escaped(result.name)}](#{_anchor(result)})")))
    return "\n".join([*lines, ""])


def _section(result: Result) -> str:
    """The experiment's own Markdown, under a heading that tells its data set, without what stands above."""
    text = experiment_markdown(replace(result, beside=()))
    _, _, rest = text.partition("\n")
    fixed = ", ".join(f"{name} {value}" for name, value in result.fixed.items() if name != "dataset")
    commit = str(result.provenance.get("git_commit") or "")[:10]
    lines = [f"### {_heading(result)}", "", f"**{escaped(result.question)}**", rest.rstrip()]
    lines += ["", f"Fixed: {escaped(fixed)}. Measured at commit {commit}." if commit else f"Fixed: {fixed}."]
    return "\n".join([*lines, ""])


def _heading(result: Result) -> str:
    datasets = result.variables.get("dataset") or (result.fixed["dataset"],)
    return f"{result.name}, {' and '.join(map(str, datasets))}"


def _anchor(result: Result) -> str:
    """As GitHub makes it of a heading."""
    return _heading(result).lower().replace(",", "").replace(" ", "-")


def joined(page: str, generated: str) -> str:
    """`page` with what stands below `MARK` replaced. Raises ValueError when it has no such line."""
    above, mark, _ = page.partition(MARK)
    if not mark:
        raise ValueError(f"the page has no line {MARK}")
    return f"{above}{MARK}\n\n{generated}"
