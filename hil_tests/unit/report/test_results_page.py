"""docs/results.md: what is written by hand stays, what was measured replaces what was."""

from __future__ import annotations

import pytest

from hil.experiments.result import CellError, CellResult
from hil.report.results_page import MARK, joined, results_markdown
from hil_tests.unit.experiments.test_result import result


def test_our_figures_stand_beside_the_papers_with_a_link_to_their_table():
    text = results_markdown([result([CellResult({"x": 1}, "k", {"x": 1.5})])])
    assert "| what | 1 | 2 | worse | [numbers](#numbers-digits) |" in text
    assert "### numbers, digits" in text
    assert "hil experiment numbers" in text


def test_a_cell_without_figures_is_named():
    failed = CellResult({"x": 2}, error=CellError("bundle", "there is no bundle", "train one"))
    assert "there is no bundle" in results_markdown([result([failed])])


def test_only_what_stands_below_the_mark_is_replaced():
    page = f"# Results\n\nby hand\n\n{MARK}\n\nold\n"
    assert joined(page, "new\n") == f"# Results\n\nby hand\n\n{MARK}\n\nnew\n"
    with pytest.raises(ValueError, match="no line"):
        joined("# Results\n", "new")
