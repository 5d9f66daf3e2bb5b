"""What the experiments on a bad link vary, and what they say."""

from __future__ import annotations

from typing import Any

import pytest

from hil.experiments import link_loss
from hil.experiments.choose import Wish, choose
from hil.experiments.measure import Context
from hil.experiments.measures import lossy
from hil.experiments.measures.lossy import NO_OUTAGE
from hil.experiments.result import CellResult
from hil.link import parse_radio

EXPERIMENT = link_loss.EXPERIMENT


def cells(*changes: str, quick: bool = False) -> list[dict[str, Any]]:
    wish = Wish(quick=quick, changes=changes)
    return [dict(cell.settings) for cell in EXPERIMENT.cells(choose(EXPERIMENT, wish))]


def settings(**given: Any) -> dict[str, Any]:
    calm = {"scheme": "agilenn", "dataset": "digits", "loss": 0.0, "burst": 0, "outage": NO_OUTAGE}
    return {**EXPERIMENT.fixed, **calm, **given}


@pytest.mark.parametrize("quick", [False, True])
def test_every_scheme_that_sends_meets_chance_bursts_and_an_outage_each_alone(quick):
    for scheme in ("agilenn", "deepcod", "spinn", "edge_only"):
        links = [(cell["loss"], cell["burst"], cell["outage"]) for cell in cells(quick=quick)
                 if cell["scheme"] == scheme]  # fmt: skip
        assert len(links) == len(set(links))
        assert (0.0, 0, NO_OUTAGE) in links
        assert (0.3, 0, NO_OUTAGE) in links
        assert (0.3, link_loss.BURST, NO_OUTAGE) in links
        assert (0.0, 0, link_loss.OUTAGE) in links
        assert all(outage == NO_OUTAGE for loss, burst, outage in links if loss or burst)


def test_what_comes_to_the_same_run_is_measured_once():
    def keys(scheme: str) -> int:
        found = EXPERIMENT.cells(choose(EXPERIMENT, Wish(changes=(f"scheme={scheme}", "loss=0,0.3"))))
        return len({cell.key(Context()) for cell in found})

    assert keys("agilenn") == 4, "no losses, by chance, in bursts, an outage"
    assert keys("mcunet") == 1, "it sends nothing"


def test_each_cell_is_a_radio_that_can_be():
    for cell in cells("radio=wifi-6m;ble-270k:mtu=100"):
        run = lossy.as_run(cell)
        radio = parse_radio(run["radio"]).for_run(run["n"])
        assert (radio.loss, radio.burst or 0) == (cell["loss"], cell["burst"] if cell["loss"] else 0)
        assert len(radio.dead) == (0 if cell["outage"] == NO_OUTAGE else run["n"] / 5)
        assert not {"loss", "burst", "outage"} & set(run)


def test_a_calm_link_is_the_radio_as_it_is():
    assert lossy.as_run(settings())["radio"] == "wifi-6m"
    assert lossy.as_run(settings(loss=0.1))["radio"] == "wifi-6m:loss=0.1"
    bursts = settings(loss=0.1, burst=8, radio="ble-270k:mtu=20")
    assert lossy.as_run(bursts)["radio"] == "ble-270k:mtu=20,loss=0.1,burst=8"
    assert lossy.as_run(settings(outage="3+4"))["radio"] == "wifi-6m:outage=3+4"


def measured(scheme: str, accuracy: float, failed: float = 0.0, **given: Any) -> CellResult:
    cell = settings(scheme=scheme, **given)
    return CellResult(cell, figures={"accuracy": accuracy, "failed": failed})


def test_the_paper_left_it_open_and_the_row_says_who_answers():
    told = EXPERIMENT.beside(
        (
            measured("agilenn", 0.98),
            measured("agilenn", 0.9, outage="40%+20%"),
            measured("agilenn", 0.85, loss=0.3, burst=8),
            measured("deepcod", 0.97),
            measured("deepcod", 0.77, 0.2, outage="40%+20%"),
            measured("deepcod", 0.97, loss=0.3, burst=8),
            measured("mcunet", 0.8),
            measured("mcunet", 0.8, outage="40%+20%"),
        )
    )
    outage, bursts = told
    assert outage.ours == "agilenn 90.0% (-8.0), deepcod 77.0% (-20.0), mcunet 80.0% (+0.0)"
    assert "left open" in outage.paper
    assert outage.word == "beyond the paper; agilenn is best; without an answer at times: deepcod"
    assert bursts.ours.endswith("deepcod 97.0% (+0.0)")
    assert bursts.word.endswith("everybody answers")


def test_without_cells_there_is_nothing_to_say():
    assert EXPERIMENT.beside(()) == ()
    assert EXPERIMENT.beside((measured("mcunet", 0.8),)) == ()
