"""Every experiment is whole: cells, columns and charts speak of the same things."""

from __future__ import annotations

import json
import pickle

import pytest

from hil.errors import UsageError
from hil.experiments import registry
from hil.experiments.choose import Wish, choose
from hil.schemes import registry as schemes

every = pytest.mark.parametrize("experiment", registry.EXPERIMENTS, ids=registry.names())


@every
@pytest.mark.parametrize("quick", [False, True])
def test_it_has_cells_that_any_process_can_take(experiment, quick):
    cells = list(experiment.cells(choose(experiment, Wish(quick=quick))))
    assert cells
    for cell in cells:
        assert json.loads(json.dumps(cell.settings)) == cell.settings
        assert pickle.loads(pickle.dumps(cell)).settings == cell.settings
        assert cell.settings["dataset"] == "digits"
        assert cell.settings.get("scheme", "agilenn") in schemes.names()


@every
def test_no_two_cells_are_the_same(experiment):
    cells = [
        json.dumps(cell.settings, sort_keys=True) for cell in experiment.cells(choose(experiment, Wish()))
    ]
    assert len(set(cells)) == len(cells)


@every
def test_a_quick_run_is_part_of_the_whole_one(experiment):
    for variable in experiment.varies:
        assert variable.quick is None or set(variable.quick) <= set(variable.values)


@every
def test_its_texts_are_there_and_its_name_is_one_word(experiment):
    assert experiment.question.endswith("?")
    assert experiment.paper.endswith(".")
    assert experiment.name == experiment.name.lower().replace(" ", "-")


def test_names_are_not_given_twice():
    assert len(set(registry.names())) == len(registry.names())


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(UsageError) as caught:
        registry.get("bandwith")
    assert "'bandwidth'" in caught.value.hint
