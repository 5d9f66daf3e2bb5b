"""From a wish to results: what is at hand, what was asked, and what there is after an interrupt."""

from __future__ import annotations

import json
import shlex

import pytest

from hil.cli import main
from hil.experiments import at_hand, conduct, registry
from hil.experiments.choose import Wish
from hil.experiments.conduct import Conductor, command, plan
from hil.experiments.measure import Context
from hil.experiments.store import Store
from hil_tests.unit.experiments.stand_ins import NUMBERS
from hil_tests.unit.experiments.test_sweep import Here


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("HIL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HIL_DATA", raising=False)


def conductor(tmp_path, wish, pool):
    context = Context()
    return Conductor(
        plan([NUMBERS], wish, context), wish, context, pool, lambda event: None, Store(tmp_path / "cells")
    )


def test_after_an_interrupt_there_is_what_was_measured_marked_as_partial(tmp_path):
    under_way = conductor(tmp_path, Wish(), Here(dies_after=3))
    with pytest.raises(KeyboardInterrupt):
        under_way.run()
    (result,) = under_way.results()
    assert result.partial
    assert len(result.cells) == 3


def test_a_whole_result_says_what_varied_what_did_not_and_where_it_comes_from(tmp_path):
    done = conductor(tmp_path, Wish(quick=True), Here())
    done.run()
    (result,) = done.results()
    assert not result.partial
    assert result.quick
    assert result.variables == {"x": (1, 2), "scheme": ("agilenn", "mcunet")}
    assert result.fixed == {"dataset": "digits", "board": "twin", "n": 2}
    assert {"time_utc", "hil", "host", "packages"} <= set(result.provenance)


def test_its_command_does_the_same_again(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(registry, "EXPERIMENTS", (NUMBERS,))
    monkeypatch.chdir(tmp_path)
    wish = Wish(("digits",), True, "twin", ("x=3,4",))
    words = shlex.split(command(NUMBERS, wish))
    assert main([*words[1:], "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["command"] == command(NUMBERS, wish)
    assert {cell["settings"]["x"] for cell in printed["cells"]} == {3, 4}


def test_data_sets_at_hand_have_samples_and_a_bundle_of_every_scheme(tmp_path):
    assert at_hand.datasets_at_hand(Context()) == ("digits",)
    (tmp_path / "data" / "cifar-10-batches-py").mkdir(parents=True)
    assert at_hand.datasets_at_hand(Context(tmp_path / "data")) == ("digits", "cifar10")


def test_with_no_values_there_is_nothing_to_measure(monkeypatch):
    monkeypatch.setattr(type(NUMBERS), "cells", lambda self, chosen: iter(()))
    with pytest.raises(conduct.UsageError, match="has no cell"):
        plan([NUMBERS], Wish(), Context())
