"""The word between the paper's figure and ours says which is better, at which accuracy."""

from __future__ import annotations

import pytest

from hil.experiments import beside
from hil.experiments.result import CellResult


def cell(scheme, latency_ms, accuracy=0.7, **more):
    figures = {"latency_mean_ms": latency_ms, "accuracy": accuracy, "energy_mj": latency_ms, **more}
    return CellResult(
        {"scheme": scheme, "dataset": "digits", "radio": "wifi-6m", "kbps": more.get("at", 1)},
        figures=figures,
    )


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (0.9, "worse: the rival is ahead"),
        (1.4, "worse than the paper"),
        (2.2, "as in the paper"),
        (3, "better than the paper"),
    ],
)
def test_a_ratio_has_its_word(value, word):
    assert beside.word(value, 2.0, 2.5) == word


def test_ratios_are_the_rivals_over_ours():
    ratios = {
        each.figure: each.ours
        for each in beside.systems_against_rivals((cell("agilenn", 5), cell("deepcod", 11)))
    }
    assert ratios == {
        "latency of deepcod over AgileNN's, digits, wifi-6m": "2.2×",
        "energy of deepcod over AgileNN's, digits, wifi-6m": "2.2×",
    }


def test_another_accuracy_is_said():
    (latency, _) = beside.systems_against_rivals((cell("agilenn", 5), cell("mcunet", 20, 0.74)))
    assert latency.word == "as in the paper; the rival is 4.0 points more accurate"
    (latency, _) = beside.systems_against_rivals((cell("agilenn", 5), cell("mcunet", 20, 0.705)))
    assert latency.word == "as in the paper; at equal accuracy"


def test_a_coarser_payload_of_ours_is_held_against_rivals_of_equal_accuracy_alone():
    ours, coarse = cell("agilenn", 5), cell("agilenn", 4, 0.69)
    coarse = CellResult({**coarse.settings, "thinning": 2}, figures=coarse.figures)
    rivals = (cell("deepcod", 6, 0.695), cell("edge_only", 6, 0.8))
    names = [
        each.figure
        for each in beside.systems_against_rivals((ours, coarse, *rivals))
        if "latency" in each.figure
    ]
    assert names == [
        "latency of deepcod over AgileNN's, digits, wifi-6m",
        "latency of edge_only over AgileNN's, digits, wifi-6m",
        "latency of deepcod over AgileNN (1 in 2 levels)'s, digits, wifi-6m",
    ]


def test_along_an_axis_each_rival_has_one_line():
    cells = (*(cell("agilenn", 5, at=at) for at in (1, 2)), cell("spinn", 12, at=1), cell("spinn", 4, at=2))
    (line,) = beside.latency_against_rivals("kbps", "kbit/s")(cells)
    assert line.ours == "2.4× at 1 kbit/s, 0.80× at 2 kbit/s"
    assert line.word == "as in the paper; worse: the rival is ahead"


def test_without_ours_there_is_nothing_to_hold_against_the_paper():
    assert beside.systems_against_rivals((cell("mcunet", 20),)) == ()
    assert beside.resources_against_rivals((cell("mcunet", 20),)) == ()


def test_a_figure_that_nothing_measured_is_in_no_ratio():
    cells = (cell("agilenn", 5), cell("deepcod", 11, energy_mj=None))
    assert [each.figure for each in beside.systems_against_rivals(cells)] == [
        "latency of deepcod over AgileNN's, digits, wifi-6m"
    ]


def test_resources_name_what_is_beyond_the_claim_and_what_is_less():
    ours = cell("agilenn", 1, busy_cycles=100, ram_bytes=100, flash_bytes=100)
    rival = cell("mcunet", 9, busy_cycles=1000, ram_bytes=50, flash_bytes=300)
    (line,) = beside.resources_against_rivals((ours, rival))
    assert line.ours == "cycles 10.0×, RAM 0.50×, flash 3.0×, energy 9.0×"
    assert line.word == "as in the paper in cycles, energy; the rival takes less RAM"
