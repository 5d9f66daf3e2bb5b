"""What the user may change of an experiment, and what is refused."""

from __future__ import annotations

import dataclasses

import pytest

from hil.errors import UsageError
from hil.experiments.choose import Wish, choose, wishes
from hil.experiments.experiment import Experiment, Variable
from hil_tests.unit.experiments.stand_ins import DOUBLE, NUMBERS


def settings(wish=Wish(), **options):
    return [dict(cell.settings) for cell in NUMBERS.cells(choose(NUMBERS, wish, **options))]


def test_cells_are_all_combinations_with_what_is_fixed():
    found = settings()
    assert len(found) == 8
    assert found[0] == {"dataset": "digits", "board": "twin", "n": 10, "x": 1, "scheme": "agilenn"}
    assert found[-1]["x"] == 4


def test_a_quick_run_has_fewer_values_and_other_settings():
    found = settings(Wish(quick=True))
    assert {cell["x"] for cell in found} == {1, 2}
    assert {cell["n"] for cell in found} == {2}


def test_a_variable_takes_other_values_of_its_own_kind():
    assert {cell["x"] for cell in settings(Wish(changes=("x=7,9",)))} == {7, 9}
    assert {cell["scheme"] for cell in settings(Wish(changes=("scheme=spinn",)))} == {"spinn"}


def test_a_fixed_setting_may_be_given_values_and_varies_then():
    chosen = choose(NUMBERS, Wish(changes=("n=3,5",)))
    assert chosen.varies["n"] == (3, 5)
    assert "n" not in chosen.fixed


def test_a_radio_keeps_its_commas():
    radio = Experiment("r", "?", "", DOUBLE, (Variable("radio", ("wifi-6m",)),), {}, ())
    chosen = choose(radio, Wish(changes=("radio=wifi-6m:loss=0.1,latency=2ms;ble-270k",)))
    assert chosen.varies["radio"] == ("wifi-6m:loss=0.1,latency=2ms", "ble-270k")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("y=1", "unknown variable 'y'"),
        ("x", "gives x no value"),
        ("x=", "gives x no value"),
        ("x=one", "x cannot be 'one'"),
        ("x=1.5", "x cannot be '1.5'"),
        ("x=true", "x cannot be 'true'"),
        ("scheme=agilenn,mcunt", "unknown scheme 'mcunt'"),
        ("board=twn", "unknown board 'twn'"),
        ("dataset=digit", "unknown data set 'digit'"),
    ],
)
def test_nonsense_is_refused_by_name(change, message):
    with pytest.raises(UsageError, match=message):
        choose(NUMBERS, Wish(changes=(change,)))


def test_an_unknown_board_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="unknown board 'renod'") as caught:
        choose(NUMBERS, Wish(board="renod"))
    assert "did you mean 'renode'?" in caught.value.hint


def test_a_radio_that_cannot_be_is_refused():
    radios = dataclasses.replace(NUMBERS, fixed={"radio": "wifi-6m"})
    with pytest.raises(UsageError, match="loss=2 is out of range"):
        choose(radios, Wish(changes=("radio=ble-270k;wifi-6m:loss=2",)))


def test_an_unknown_data_set_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="unknown data set 'digit'") as caught:
        choose(NUMBERS, Wish(datasets=("digit",)))
    assert "digits" in caught.value.hint


def test_several_data_sets_are_a_variable():
    chosen = choose(NUMBERS, Wish(datasets=("digits", "cifar10")))
    assert chosen.varies["dataset"] == ("digits", "cifar10")
    assert "dataset" not in chosen.fixed


def test_an_experiment_without_a_board_takes_none():
    boardless = Experiment("b", "?", "", DOUBLE, (Variable("x", (1,)),), {}, ())
    with pytest.raises(UsageError, match="runs on no board"):
        choose(boardless, Wish(board="renode"))
    assert choose(NUMBERS, Wish(board="renode")).fixed["board"] == "renode"


def test_all_data_sets_at_hand_are_for_whole_runs_that_name_none():
    everywhere = Experiment("e", "?", "", DOUBLE, (Variable("x", (1,)),), {}, (), everywhere=True)
    hand = ("digits", "cifar10")
    assert choose(everywhere, Wish(), hand).varies["dataset"] == hand
    assert choose(everywhere, Wish(quick=True), hand).fixed["dataset"] == "digits"
    assert choose(everywhere, Wish(datasets=("cifar10",)), hand).fixed["dataset"] == "cifar10"


def test_of_several_experiments_each_takes_what_it_can():
    boardless = Experiment("b", "?", "", DOUBLE, (Variable("y", (1,)),), {}, ())
    numbers, other = wishes((NUMBERS, boardless), Wish(board="renode", changes=("x=1", "y=2")))
    assert (numbers.board, numbers.changes) == ("renode", ("x=1",))
    assert (other.board, other.changes) == (None, ("y=2",))
    with pytest.raises(UsageError, match="unknown variable 'z'"):
        wishes((NUMBERS, boardless), Wish(changes=("z=1",)))
