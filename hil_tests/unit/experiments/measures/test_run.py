"""Which cells are the same run, and what a summary's figures become."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hil.errors import SessionError, UsageError
from hil.experiments.measure import Cell, Context
from hil.experiments.measures.run import RUN, canonical, found_in, radio_of

SUMMARY = json.loads((Path(__file__).parents[3] / "baselines" / "twin-digits.json").read_text())


def key(**settings):
    return Cell(RUN, {"scheme": "agilenn", "dataset": "digits", **settings}).key(Context())


def test_a_default_that_is_named_changes_nothing():
    assert key() == key(radio="wifi-6m", server_ms=1.0)
    assert key() != key(radio="ble-270k")
    assert key() != key(n=51)


def test_the_link_is_no_matter_to_a_bundle_that_sends_nothing():
    assert key(scheme="mcunet", radio="ble-270k", codec="lzw") == key(scheme="mcunet")
    assert "radio" not in canonical({"scheme": "mcunet", "dataset": "digits"})


def test_a_bundle_that_is_not_there_is_named_with_the_command_that_trains_it():
    with pytest.raises(UsageError, match="no bundle of agilenn for tiny-imagenet-200") as caught:
        key(dataset="tiny-imagenet-200")
    assert "hil train --scheme agilenn --dataset tiny-imagenet-200" in caught.value.hint


@pytest.mark.parametrize(
    ("radio", "text"),
    [("wifi-6m", "wifi-6m:bandwidth=270k"), ("wifi-6m:loss=0.1", "wifi-6m:loss=0.1,bandwidth=270k")],
)
def test_a_bandwidth_takes_the_place_of_the_radios(radio, text):
    assert radio_of({"radio": radio, "bandwidth_kbps": 270}) == text
    assert radio_of({"radio": radio}) == radio


def test_figures_are_the_summarys_with_their_sources():
    found = found_in(SUMMARY, {})
    assert found.figures["latency_mean_ms"] == SUMMARY["latency_ms"]["mean"]
    assert found.figures["energy_mj"] == SUMMARY["energy_mj"]["mean"]
    assert found.figures["answered"] + found.figures["fallback"] + found.figures["local"] == 1
    assert found.sources["local_ms"] == "twin_cycles"
    assert found.sources["energy_mj"] == "modelled"
    assert "accuracy" not in found.sources


def test_a_run_that_is_not_valid_has_no_figures():
    issue = {"code": "disagreement", "message": "3 of 100 samples differ", "hint": "look at the kernel"}
    with pytest.raises(SessionError, match="not valid: 3 of 100 samples differ"):
        found_in({**SUMMARY, "issues": [issue]}, {})


def test_samples_that_no_one_could_answer_are_wrong_not_invalid():
    issue = {"code": "failed-samples", "message": "3 of 100 samples failed", "hint": "see samples.csv"}
    assert found_in({**SUMMARY, "issues": [issue]}, {}).figures["accuracy"] == SUMMARY["accuracy"]
