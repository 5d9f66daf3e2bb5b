"""Model cards are written whole and read strictly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given

from hil.bench.row import AccuracyRow
from hil.errors import BundleError
from hil.zoo import card as cards
from hil.zoo.card import Card
from hil_tests.unit.bench.rows import ROWS, row


def card(figures: AccuracyRow) -> Card:
    command = "hil train --scheme agilenn --dataset cifar10 --recipe small"
    epochs = {"reference": 4, "train": 8}
    return Card(
        "agilenn-cifar10", command, "small", epochs, "one core", 48.5, "2.13.0", "2026-11-22", figures
    )


@given(ROWS)
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, figures: AccuracyRow) -> None:
    path = tmp_path_factory.mktemp("cards") / "card.json"
    cards.save(card(figures), path)
    assert cards.load(path) == card(figures)


@pytest.mark.parametrize("change", [{"schema": 2}, {"figures": {}}, {"more": 1}])
def test_a_damaged_card_is_named(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "agilenn-cifar10.json"
    path.write_text(json.dumps({**cards.as_values(card(row())), **change}))
    with pytest.raises(BundleError, match=r"agilenn-cifar10\.json"):
        cards.load(path)
    path.write_text("{")
    with pytest.raises(BundleError, match="damaged"):
        cards.load(path)
