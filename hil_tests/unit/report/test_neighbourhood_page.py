"""The page and the tables of neighbourhoods."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.console import Console

from hil.neighbourhood.result import Anomaly, Failure, Neighbourhood, Result, Unasked
from hil.report.neighbourhood import result_view, templates_table
from hil.report.neighbourhood_page import neighbourhood_page
from hil_tests.unit.neighbourhood.toy import ALL, OFF_BY_ONE, RIGHT
from hil_tests.unit.report.pages import Page, assert_accessible, assert_self_contained, parsed

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"
SOUND = Neighbourhood(RIGHT, wanted=200, asked=200, seconds=3.0)
FAILURES = tuple(Failure(index, {"padding": 7, "extent": index}, "one short") for index in (3, 9))
PARTED = Neighbourhood(
    OFF_BY_ONE,
    wanted=200,
    asked=180,
    failures=FAILURES,
    anomalies=(Anomaly({"padding": 7}, {"padding": 7, "extent": 1}, EVIL, (3, 9)),),
    unasked=(Unasked(180, 20, "the process ended"),),
)
RESULT = Result((SOUND, PARTED), 0, "twin", "hil neighbourhood right off-by-one", {"time_utc": "2026-01-01"})


@pytest.fixture(scope="module")
def page() -> Page:
    return parsed(neighbourhood_page(RESULT))


def test_scores_anomalies_questions_and_command_are_on_it(page: Page) -> None:
    names = ["scores", "anomalies", "questions", "provenance", "origins"]
    assert [given["id"] for given in page.named("section")] == names
    for said in ("almost all", "padding=7", "2 instances", "20 instances from 180 on were not asked"):
        assert said in page.text


def test_it_needs_nothing_else_and_can_be_read_by_everyone(page: Page) -> None:
    assert_self_contained(page)
    assert_accessible(page)


def test_what_a_failure_says_is_text() -> None:
    assert "<img src=x" not in neighbourhood_page(RESULT)


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        (replace(RESULT, neighbourhoods=(SOUND,)), "All 200 instances of 1 question passed."),
        (RESULT, "1 anomaly in 380 instances of 2 questions."),
        (replace(RESULT, neighbourhoods=(replace(SOUND, asked=100),)), "Instances are missing"),
    ],
)
def test_the_verdict_is_at_the_top(result: Result, verdict: str) -> None:
    assert verdict in parsed(neighbourhood_page(result)).text


def test_a_terminal_shows_scores_and_minimal_parameters(tmp_path) -> None:
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(result_view(RESULT, tmp_path))
    console.print(templates_table(ALL))
    shown = console.export_text()
    assert "▲ almost all" in shown
    assert "off-by-one: padding=7 (2 instances)" in shown
    assert "Is a toy right?" in shown
