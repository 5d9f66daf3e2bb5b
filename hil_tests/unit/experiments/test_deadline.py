"""What the experiment on deadlines varies, and what it says."""

from __future__ import annotations

from typing import Any

import pytest

from hil.errors import UsageError
from hil.experiments import deadline
from hil.experiments.choose import Wish, choose
from hil.experiments.measure import Context
from hil.experiments.measures.variant_run import VARIANT_RUN
from hil.experiments.result import CellResult
from hil.link import RADIOS, parse_radio
from hil.session.options import RunOptions

EXPERIMENT = deadline.EXPERIMENT


def test_each_cell_is_a_run_that_can_be():
    for quick in (False, True):
        found = list(EXPERIMENT.cells(choose(EXPERIMENT, Wish(quick=quick))))
        assert len(found) == len({(cell.settings["variant"], cell.settings["deadline_ms"]) for cell in found})
        for cell in found:
            RunOptions(n=cell.settings["n"], deadline_ms=cell.settings["deadline_ms"],
                       radio=cell.settings["radio"])  # fmt: skip


def test_a_payload_of_a_hundred_bytes_comes_in_several_packets():
    radio = parse_radio(deadline.RADIO)
    assert len(radio.packet_sizes(100)) == 5
    assert 8 * max(radio.packet_sizes(100)) / radio.bandwidth_bps < 0.0012
    assert radio.currents == RADIOS["ble-270k"].currents


def key(**changes: Any) -> str:
    chosen = {**EXPERIMENT.fixed, "dataset": "digits", "variant": "deepcod", "deadline_ms": 20.0, **changes}
    return VARIANT_RUN.inputs(chosen, Context())["bundle"]


def test_variants_are_other_bundles_and_a_short_training_is_another():
    assert len({key(), key(variant="agilenn-range"), key(variant="agilenn-progressive")}) == 3
    assert key(variant="agilenn-progressive") != key(variant="agilenn-progressive", short=True)
    assert key(variant="spinn") != key(variant="edge_only")
    assert key() == key(short=True), "what needs no training is as it always is"


def test_a_variant_that_nobody_knows_is_refused_with_all_that_there_are():
    with pytest.raises(UsageError, match="unknown variant 'deepcods'") as caught:
        key(variant="deepcods")
    assert "did you mean 'deepcod'?" in caught.value.hint
    assert "spinn" in caught.value.hint


def measured(variant: str, deadline_ms: float, accuracy: float) -> CellResult:
    return CellResult(
        {"variant": variant, "deadline_ms": deadline_ms, "dataset": "digits"}, figures={"accuracy": accuracy}
    )


def test_it_says_who_is_best_when_and_from_when_on_an_answer_is_as_good_as_it_gets():
    first, over_all, soonest = EXPERIMENT.beside(
        (
            measured("agilenn-range", 10.0, 0.7),
            measured("agilenn-range", 20.0, 0.97),
            measured("agilenn-range", 40.0, 0.98),
            measured("deepcod", 10.0, 0.0),
            measured("deepcod", 20.0, 0.0),
            measured("deepcod", 40.0, 0.99),
        )
    )
    assert first.ours == "agilenn-range 70.0%, deepcod 0.0%"
    assert first.word == "beyond the paper; agilenn-range is best"
    assert over_all.ours == "agilenn-range 88.3%, deepcod 33.0%"
    assert soonest.ours == "agilenn-range 20 ms, deepcod 40 ms"


def test_without_cells_there_is_nothing_to_say():
    assert EXPERIMENT.beside(()) == ()
