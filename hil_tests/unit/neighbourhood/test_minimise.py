"""What matters of a failing instance is what is left when everything else is at rest."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.neighbourhood.minimise import minimise
from hil.neighbourhood.template import Context, Verdict
from hil_tests.unit.neighbourhood.toy import OF_TWO, OFF_BY_ONE, RAISING

FAILING = {"padding": 7, "extent": 33, "kind": "wide", "data": 4_000_000_000}


def test_one_value_is_named_alone() -> None:
    found = minimise(OFF_BY_ONE, FAILING, Context())
    assert found.essential == {"padding": 7}
    assert found.detail == "14 outputs, not 15"
    assert found.repeatable


@given(st.integers(21, 40), st.integers(0, 12))
def test_a_bound_is_found_whatever_it_starts_from(extent: int, padding: int) -> None:
    found = minimise(OF_TWO, FAILING | {"extent": extent, "padding": padding}, Context())
    assert found.essential == {"extent": 21, "kind": "wide"}


def test_what_an_instance_raises_is_its_failure() -> None:
    found = minimise(RAISING, FAILING | {"kind": "deep"}, Context())
    assert found.essential == {"kind": "deep"}
    assert found.detail == "ZeroDivisionError: no pixels"


def test_only_questions_are_tried() -> None:
    large = replace(OFF_BY_ONE, fits=lambda parameters: int(parameters["extent"]) > 5)
    assert minimise(large, FAILING, Context()).essential == {"padding": 7, "extent": 6}


def test_a_failure_that_does_not_come_again_is_told_as_such() -> None:
    found = minimise(
        replace(OFF_BY_ONE, ask=lambda all_of, context: [Verdict(True)] * len(all_of)), FAILING, Context()
    )
    assert not found.repeatable
    assert found.parameters == FAILING


@pytest.mark.parametrize("padding", range(13))
def test_a_batch_that_raises_is_asked_one_by_one(padding: int) -> None:
    two = [FAILING | {"kind": "plain", "padding": padding}, FAILING | {"kind": "deep"}]
    assert [verdict.passed for verdict in RAISING.judge(two, Context())] == [True, False]
