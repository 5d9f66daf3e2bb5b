"""An experiment's page and the files beside it."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from hil.cli.app import invoke
from hil.errors import UsageError
from hil.experiments.experiment import Chart, Column
from hil.experiments.result import Beside, CellError, Result
from hil.report.experiment_files import write_files
from hil.report.experiment_page import charts, experiment_page
from hil.report.experiment_tables import (
    cell_command,
    experiment_csv,
    experiment_json,
    experiment_junit,
    experiment_markdown,
)
from hil_tests.unit.report.pages import Page, assert_accessible, assert_self_contained, parsed
from hil_tests.unit.report.results import cell, result

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"


@pytest.fixture(scope="module")
def page() -> Page:
    return parsed(experiment_page(result()))


def test_question_paper_table_charts_failures_and_command_are_on_it(page: Page) -> None:
    names = ["beside", "table", "charts", "failed", "cells", "provenance", "origins"]
    assert [given["id"] for given in page.named("section")] == names
    for text in (
        "How does latency follow",
        "worse",
        "1 of 6 cells could not be measured",
        "no bundle",
        "90.0",
    ):
        assert text in page.text
    assert "hil experiment bandwidth --set scheme=deepcod --set bandwidth_kbps=6000" in page.text
    assert "twin_cycles" in page.text
    assert_self_contained(page)
    assert_accessible(page)


def test_a_chart_of_figures_that_nobody_has_is_not_drawn(page: Page) -> None:
    assert [given["id"] for given in page.named("svg")] == ["chart-1", "chart-2", "chart-3", "chart-4"]


def test_numbers_are_sorted_by_their_value(page: Page) -> None:
    values = [given["data-v"] for tag, given in page.tags if tag == "td" and "data-v" in given]
    assert values[:4] == ["agilenn", "270.0", "10.0", "0.9"]


def test_markup_in_a_result_is_text() -> None:
    odd = replace(
        cell("agilenn", 270, 0),
        settings={EVIL: EVIL, "scheme": EVIL},
        figures={EVIL: EVIL, "y": 1.0},
        sources={"y": EVIL},
    )
    failed = replace(odd, error=CellError(EVIL, EVIL, EVIL))
    made = result(
        name=EVIL, question=EVIL, paper=EVIL, command=EVIL,
        variables={EVIL: (EVIL, "b"), "scheme": (EVIL,)}, fixed={EVIL: EVIL},
        columns=(Column("scheme", EVIL, EVIL), Column("y", EVIL)),
        charts=(Chart(EVIL, "scheme", "y", EVIL, "bars"),),
        cells=(odd, failed), beside=(Beside(EVIL, EVIL, EVIL, EVIL),), provenance={EVIL: EVIL},
    )  # fmt: skip
    page = parsed(experiment_page(made))
    assert_self_contained(page)
    assert page.named("img") == []
    assert page.text.count("<script>alert(1)</script>") > 20


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"partial": True}, "Cells are missing."),
        ({"cells": (cell("agilenn", 270, 0),), "quick": True}, "This is a quick run"),
        ({"cells": ()}, "No cell was measured."),
    ],
)
def test_what_is_incomplete_says_so(changes: dict[str, object], word: str) -> None:
    assert word in parsed(experiment_page(result(charts=(), **changes))).text


def test_each_data_set_has_a_panel() -> None:
    one = result(charts=result().charts[:1])
    names = ("digits", "svhn")
    cells = [replace(c, settings={**c.settings, "dataset": name}) for name in names for c in one.cells]
    made = replace(one, variables={"dataset": names, **one.variables}, cells=tuple(cells))
    (drawing,) = charts(made)
    assert {"digits", "svhn"} <= set(parsed(str(drawing.svg)).texts)


def test_csv_has_every_cell_with_every_figure() -> None:
    rows = list(csv.DictReader(io.StringIO(experiment_csv(result()))))
    assert len(rows) == 6
    assert (rows[0]["scheme"], rows[0]["latency_mean_ms"], rows[0]["error"]) == ("agilenn", "10.0", "")
    assert (rows[5]["latency_mean_ms"], rows[5]["error"]) == ("", "bundle: no bundle")


def test_markdown_has_table_origins_and_what_failed() -> None:
    text = experiment_markdown(result())
    assert "| agilenn | 270 | 10.00 | 90.0 |" in text
    assert "*twin\\_cycles*" in text
    assert "- not measured: scheme=deepcod, bandwidth\\_kbps=6000: no bundle" in text


def test_junit_has_a_case_for_each_cell_and_an_error_for_a_failed_one() -> None:
    suite = ET.fromstring(experiment_junit(result())).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("errors"), suite.get("failures")) == ("6", "1", "0")
    error = suite.findall("testcase")[5].find("error")
    assert error is not None
    assert (error.get("type"), error.get("message")) == ("bundle", "no bundle")


def test_json_is_the_result_again() -> None:
    assert Result.from_json(json.loads(experiment_json(result()))).to_json() == result().to_json()


def test_a_cell_s_command_quotes_what_a_shell_would_read() -> None:
    odd = replace(cell("agilenn", 270, 0), settings={"scheme": "a b;c", "bandwidth_kbps": 2.5})
    assert cell_command(result(), odd).endswith("--set 'scheme=a b;c' --set bandwidth_kbps=2.5")


def test_an_experiment_s_folder_gets_table_charts_and_page(tmp_path: Path) -> None:
    first = result().charts[0]
    made = result(charts=(first, replace(first, title="Latency!")))
    names = [path.name for path in write_files(made, tmp_path)]
    drawn = ["latency-2.svg", "latency.svg"]
    assert sorted(names) == sorted([*drawn, "report.html", "table.csv", "table.md"])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    for name in drawn:
        ET.parse(tmp_path / name)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        write_files(result(charts=()), tmp_path / "file")


def test_a_result_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "experiment.json").write_text("[]")
    with pytest.raises(UsageError, match="no experiment's result"):
        invoke(["report", str(tmp_path)])
