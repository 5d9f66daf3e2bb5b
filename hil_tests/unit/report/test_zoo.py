"""Model cards as a terminal and a document show them."""

from __future__ import annotations

from hypothesis import given

from hil.bench.row import AccuracyRow
from hil.report.zoo import card_markdown, card_rows, card_table, zoo_table
from hil_tests.unit.bench.rows import ROWS, row
from hil_tests.unit.zoo.test_card import card


@given(ROWS)
def test_any_card_can_be_shown(figures: AccuracyRow) -> None:
    assert len(card_rows(card(figures))) >= 14
    assert card_table(card(figures)).row_count == len(card_rows(card(figures)))
    assert zoo_table([card(figures)]).row_count == 1


def test_a_card_says_how_it_came_to_be() -> None:
    shown = dict(card_rows(card(row())))
    assert shown["epochs"] == "reference 4, train 8"
    assert shown["trained"] == "2026-11-22, 48 min on one core, torch 2.13.0"
    assert shown["accuracy in float, 10 000 test samples"] == "81.25 %"
    assert shown["accuracy on the twin, 1000 samples"].endswith("100.0 % equal to the host reference")
    assert "answered without asking" not in shown


def test_an_exit_has_a_line() -> None:
    assert dict(card_rows(card(row(exit_share=0.25))))["answered without asking"] == "25.0 %"


def test_a_documents_command_is_code() -> None:
    assert "| again by | `hil train --scheme agilenn" in card_markdown(card(row()))
