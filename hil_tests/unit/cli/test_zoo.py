"""`hil zoo`: what comes with hil, as a table, a card or JSON."""

from __future__ import annotations

import json

import pytest

from hil.cli import main
from hil.zoo import shelf


def test_the_table_has_every_bundle(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in shelf.names())


@pytest.mark.parametrize("name", shelf.names()[:1])
def test_one_bundles_card_says_how_to_train_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", name]) == 0
    assert "hil train" in capsys.readouterr().out
    assert main(["zoo", name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == name


def test_json_is_a_list_of_cards(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", "--json"]) == 0
    assert [card["name"] for card in json.loads(capsys.readouterr().out)] == list(shelf.names())


def test_an_unknown_bundle_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", "agilenn-digit"]) == 2
    assert "unknown shipped bundle" in capsys.readouterr().err
