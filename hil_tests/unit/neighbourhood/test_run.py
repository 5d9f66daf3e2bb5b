"""A run of neighbourhoods: scores, anomalies, and what is kept of an interrupted one."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from hil.errors import UsageError
from hil.neighbourhood import find
from hil.neighbourhood.result import Neighbourhood, Result, save
from hil.neighbourhood.run import ANOMALIES_MAX, Inquiry, Wish
from hil.neighbourhood.score import Score, score
from hil.neighbourhood.template import Template
from hil_tests.unit.neighbourhood.toy import ASKED, OF_TWO, OFF_BY_ONE, RAISING, RIGHT, Here, toy


def asked(*templates: Template, pool: Here | None = None, **wish: int) -> Result:
    inquiry = Inquiry(Wish(templates, **wish), pool or Here(), lambda event: None)  # type: ignore[arg-type]
    with contextlib.suppress(KeyboardInterrupt):
        inquiry.run()
    return inquiry.result()


def only(result: Result) -> Neighbourhood:
    (found,) = result.neighbourhoods
    return found


def test_a_planted_off_by_one_at_one_padding_is_almost_all_and_named() -> None:
    found = only(asked(OFF_BY_ONE))
    assert found.score is Score.ALMOST_ALL
    (anomaly,) = found.anomalies
    assert anomaly.essential == {"padding": 7}
    assert len(anomaly.instances) == len(found.failures) > 1
    assert not found.unshrunk


def test_a_neighbourhood_without_a_fault_is_all() -> None:
    result = asked(RIGHT)
    assert (only(result).score, only(result).passed) == (Score.ALL, 200)
    assert result.clean


def test_failures_of_two_causes_are_two_anomalies(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(parameters):
        return "seven" if parameters["padding"] == 7 else "two" if parameters["kind"] == "wide" else ""

    both = toy("both", ask)
    monkeypatch.setattr(find, "templates", lambda: (both,))
    found = only(asked(both))
    assert {tuple(each.essential.items()) for each in found.anomalies} == {
        (("padding", 7),),
        (("kind", "wide"),),
    }
    assert found.score is Score.SOME


def test_no_more_anomalies_are_shrunk_than_anybody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    many = toy("many", lambda parameters: f"{parameters['extent']}" if int(parameters["extent"]) % 2 else "")
    monkeypatch.setattr(find, "templates", lambda: (many,))
    found = only(asked(many, instances=60))
    assert len(found.anomalies) <= ANOMALIES_MAX


def test_after_an_interrupt_the_same_wish_goes_on() -> None:
    first = only(asked(RIGHT, pool=Here(most=4)))
    assert (first.asked, first.partial) == (80, True)
    before = len(ASKED)
    second = only(asked(RIGHT))
    assert (second.asked, second.partial) == (200, False)
    assert len(ASKED) - before == 120, "what was asked is not asked again"


def test_a_longer_run_has_the_instances_of_a_shorter_one() -> None:
    asked(RIGHT, instances=40)
    before = len(ASKED)
    assert only(asked(RIGHT, instances=100)).asked == 100
    assert len(ASKED) - before == 60


def test_a_batch_that_cannot_be_asked_is_told_and_not_taken_for_passed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    impossible = toy("impossible", fits=lambda parameters: False)
    monkeypatch.setattr(find, "templates", lambda: (impossible,))
    result = asked(impossible, instances=30)
    assert only(result).score is Score.UNKNOWN
    assert [(batch.first, batch.count) for batch in only(result).unasked] == [(0, 20), (20, 10)]
    assert not result.clean


def test_the_result_is_json_with_every_failure(tmp_path: Path) -> None:
    result = asked(OFF_BY_ONE, OF_TWO)
    kept = json.loads(save(result, tmp_path / "new").read_text())
    assert kept["asked"] == 400
    assert kept["command"] == "hil neighbourhood off-by-one of-two"
    first, _ = kept["neighbourhoods"]
    assert first["score"] == "almost all"
    assert first["anomalies"][0]["essential"] == {"padding": 7}
    assert len(first["failures"]) == first["asked"] - first["passed"]


@pytest.mark.parametrize(
    ("passed", "of", "expected"),
    [
        (0, 0, "not asked"),
        (10, 10, "all"),
        (9, 10, "almost all"),
        (8, 10, "some"),
        (1, 10, "some"),
        (0, 10, "none"),
    ],
)
def test_scores(passed: int, of: int, expected: str) -> None:
    assert score(passed, of) == expected


def test_another_board_than_the_twin_is_asked_what_it_answers() -> None:
    assert find.chosen([], "twin") == [RIGHT, OFF_BY_ONE, OF_TWO, RAISING]
    assert find.chosen([], "renode") == []
    with pytest.raises(UsageError, match="asks nothing of board 'renode'"):
        find.chosen(["right"], "renode")


@pytest.mark.parametrize(("name", "value"), [("instances", 0), ("seed", -1)])
def test_an_impossible_wish_is_refused(name: str, value: int) -> None:
    with pytest.raises(UsageError, match=str(value)):
        Wish((RIGHT,), **{name: value})  # type: ignore[arg-type]
