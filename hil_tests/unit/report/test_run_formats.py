"""A run's report for programs."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from hil.report.run_data import RunData, read_run
from hil.report.run_formats import run_csv, run_json, run_junit, run_markdown
from hil_tests.unit.report.run_folders import full_summary, write_run


def data(folder: Path, **changes: object) -> RunData:
    return read_run(write_run(folder / "run", full_summary(**changes)))


def test_json_has_the_summary_and_every_figure_with_its_origin(tmp_path: Path) -> None:
    found = json.loads(run_json(data(tmp_path)))
    assert found["summary"]["scheme"] == "agilenn"
    figures = {figure["key"]: figure for figure in found["figures"]}
    assert figures["latency_ms.mean"] == {
        "key": "latency_ms.mean", "value": 5.0, "unit": "ms", "origins": ["twin_instructions", "modelled"],
    }  # fmt: skip
    assert figures["memory.flash_bytes"]["origins"] == ["elf"]


def test_json_is_strict_even_where_the_summary_is_not(tmp_path: Path) -> None:
    assert json.loads(run_json(data(tmp_path, accuracy=float("nan"))))["summary"]["accuracy"] is None


def test_csv_has_a_row_for_each_figure(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run_csv(data(tmp_path, energy_mj__mean=None)))))
    values = {row["key"]: row["value"] for row in rows}
    assert values["accuracy"] == "0.98"
    assert values["energy_mj.mean"] == ""


def test_names_are_no_markdown(tmp_path: Path) -> None:
    text = run_markdown(data(tmp_path, scheme="a|b <i>*x*", dataset="d\n# e"))
    assert "### a\\|b \\<i>\\*x\\* on d # e\n" in text
    assert "| accuracy | 98.0 % | counted |" in text


def suite(text: str) -> tuple[ET.Element, dict[str, ET.Element]]:
    found = ET.fromstring(text).find("testsuite")
    assert found is not None
    return found, {case.get("name", ""): case for case in found.iter("testcase")}


def test_a_valid_run_passes_every_case(tmp_path: Path) -> None:
    found, cases = suite(run_junit(data(tmp_path)))
    assert found.get("failures") == found.get("errors") == "0"
    assert found.get("tests") == str(len(cases))
    assert {"valid", "no disagreement", "no failed-samples", "no latency-sum", "no partial"} <= cases.keys()


def test_each_reason_why_a_run_is_not_valid_is_a_failure_of_its_own(tmp_path: Path) -> None:
    issue = {"code": "disagreement", "message": "3 samples \x00 differ", "hint": "see <samples.csv>"}
    found, cases = suite(run_junit(data(tmp_path, valid=False, issues=[issue])))
    assert found.get("failures") == "2"
    failure = cases["no disagreement"].find("failure")
    assert failure is not None
    assert failure.get("message") == "3 samples \ufffd differ"
    assert "see <samples.csv>" in (failure.text or "")
    assert cases["valid"].find("failure") is not None


@pytest.mark.parametrize("issues", [[], [{"code": "partial", "message": "killed"}]])
def test_a_partial_run_fails_its_case_whatever_its_issues_say(tmp_path: Path, issues: list[object]) -> None:
    _, cases = suite(run_junit(data(tmp_path, partial=True, valid=False, issues=issues)))
    assert cases["no partial"].find("failure") is not None


def test_agreement_that_nobody_asked_for_is_skipped(tmp_path: Path) -> None:
    _, cases = suite(run_junit(data(tmp_path, host_agreement=None)))
    assert cases["no disagreement"].find("skipped") is not None
