"""The page of a run: everything is on it, nothing of it is anybody's markup, and it needs nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hil.report.run_data import read_run
from hil.report.run_page import run_page
from hil_tests.unit.report.pages import Page, assert_accessible, assert_self_contained, parsed
from hil_tests.unit.report.run_folders import full_summary, records, write_run

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;${7*7}{{7*7}}"


def page_of(folder: Path, **options: Any) -> Page:
    return parsed(run_page(read_run(folder), **options))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return page_of(write_run(tmp_path_factory.mktemp("runs") / "one"))


def test_every_section_is_there_and_every_link_leads_to_one(page: Page) -> None:
    names = ["latency", "energy", "memory", "layers", "accuracy", "samples", "provenance", "origins"]
    assert [given["id"] for given in page.named("section")] == names
    assert_self_contained(page)
    assert_accessible(page)


def test_headline_figures_and_their_origins_are_on_it(page: Page) -> None:
    for text in ("agilenn on digits", "98.0", "5.000", "27.3", "twin_instructions", "modelled", "counted"):
        assert text in page.text
    assert "hil run --n 12" in page.text


def test_the_drawings_are_there(page: Page) -> None:
    drawn = [given["id"] for given in page.named("svg")]
    assert drawn == ["timeline", "latency-over", "latency-outcome", "latency-sorted", "arenas"]


def test_wrong_and_failed_samples_come_with_picture_and_heat_maps(page: Page) -> None:
    assert "not answered" in page.text
    assert "float model" in page.text
    assert len(page.named("img")) == 3 * 6, "input, map and channels of one wrong, one failed, four slow"


def test_the_same_run_gives_the_same_page(tmp_path: Path) -> None:
    data = read_run(write_run(tmp_path / "run", found=records(1)))
    assert run_page(data) == run_page(data)


def test_markup_in_a_run_s_files_is_text(tmp_path: Path) -> None:
    summary = full_summary(
        scheme=EVIL,
        board=EVIL,
        radio=EVIL,
        issues=[{"code": EVIL, "message": EVIL, "hint": EVIL}],
        latency_ms__sources=dict.fromkeys(("local", "link", "remote", "fuse", "total"), EVIL),
        cycles__per_layer=[{"name": EVIL, "kernel": EVIL, "cycles": 1, "macs": 2}],
        provenance={EVIL: EVIL, "command": [EVIL], "bundle": {"file": EVIL, "sha256": EVIL}},
    )
    summary["energy_mj"] |= {"source": EVIL, "by_state": {EVIL: 1.0}}
    found = records(4)
    object.__setattr__(found[2], "reason", EVIL)
    folder = write_run(tmp_path / "run", summary, found)
    memory = json.loads((folder / "artefacts/memory.json").read_text())
    memory["layers"] = [EVIL, EVIL]
    (folder / "artefacts/memory.json").write_text(json.dumps(memory))
    page = page_of(folder, others=[read_run(folder)])
    assert_self_contained(page)
    assert page.text.count("<script>alert(1)</script>") > 20
    assert all(given["src"].startswith("data:") for given in page.named("img"))


def test_a_run_that_ended_early_says_so_first(tmp_path: Path) -> None:
    issue = {
        "code": "partial",
        "message": "the run ended early, after 2 samples: killed",
        "hint": "run it again",
    }
    summary = full_summary(partial=True, valid=False, issues=[issue], samples=2)
    page = page_of(write_run(tmp_path / "run", summary, []))
    assert "Ended early." in page.text
    assert "killed" in page.text
    assert "2 of 100" in page.text


def test_samples_that_the_summary_came_too_early_for_are_shown_and_said(tmp_path: Path) -> None:
    summary = full_summary(partial=True, valid=False, samples=1)
    page = page_of(write_run(tmp_path / "run", summary, records(2)))
    assert "The summary was written after 1 samples" in page.text
    assert "of the 2 in events.jsonl" in page.text
    assert "latency-over" in page.identifiers


def test_what_is_missing_costs_its_section_and_is_said(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    (folder / "events.jsonl").unlink()
    (folder / "artefacts/memory.json").unlink()
    page = page_of(folder)
    for word in ("No latency by sample", "No map of the arenas", "No confusion matrix", "No samples to show"):
        assert word in page.text
    assert page.named("svg") == []
    assert_self_contained(page)


def test_a_run_killed_before_its_first_sample_has_a_page(tmp_path: Path) -> None:
    summary = full_summary(partial=True, valid=False, samples=0, accuracy=None, cycles__per_layer=[])
    summary["latency_ms"] = dict.fromkeys(summary["latency_ms"])
    summary["energy_mj"] = dict.fromkeys(summary["energy_mj"])
    summary["memory"] = dict.fromkeys(summary["memory"])
    page = page_of(write_run(tmp_path / "run", summary, []))
    assert "The summary has no latency." in page.text
    assert "energy" not in [given["id"] for given in page.named("section")]


@pytest.mark.parametrize("value", [None, "x", -1, [1], {"a": 1}, True, 1e999])
def test_a_summary_of_odd_types_has_a_page(tmp_path: Path, value: Any) -> None:
    odd = {key: value for key in full_summary() if key not in ("schema", "latency_ms")}
    assert_self_contained(page_of(write_run(tmp_path / "run", {"schema": 1, **odd, "latency_ms": {}}, [])))


def test_a_bundle_that_is_not_at_hand_costs_the_heat_maps_only(tmp_path: Path) -> None:
    bundle = {"file": "other.safetensors", "sha256": "ab" * 32}
    page = page_of(write_run(tmp_path / "run", full_summary(provenance={"bundle": bundle}), records(2)))
    assert "No heat maps: the run's bundle other.safetensors" in page.text
    assert "--bundle" in page.text
    assert len(page.named("img")) == 2


def test_a_data_set_that_is_not_at_hand_costs_the_pictures_only(tmp_path: Path) -> None:
    page = page_of(
        write_run(tmp_path / "run", full_summary(dataset="cifar10"), records(1)), data_dir=tmp_path
    )
    assert "No images: there is no folder cifar-10-batches-py" in page.text
    assert page.named("img") == []


def test_a_test_split_that_is_not_the_run_s_is_noticed(tmp_path: Path) -> None:
    found = records(1)
    object.__setattr__(found[0], "label", (found[0].label + 1) % 10)
    page = page_of(write_run(tmp_path / "run", found=found))
    assert "has another label than in the run" in page.text


def test_runs_of_the_same_data_set_stand_beside_it(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "a", found=[])
    slower = write_run(tmp_path / "b", full_summary(scheme="mcunet", latency_ms__mean=9.0), [])
    foreign = write_run(tmp_path / "c", full_summary(dataset="svhn"), [])
    page = page_of(folder, others=[read_run(slower), read_run(foreign)])
    assert "others-scatter" in [given["id"] for given in page.named("svg")]
    assert "mcunet, wifi-6m" in page.text
    assert "c ran on svhn, not on digits" in page.text


def test_a_long_run_s_page_stays_small_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    one = records(1)[0]
    found = [replace(one, index=index) for index in range(4000)]
    html = run_page(read_run(write_run(tmp_path / "run", found=found)))
    assert "One sample in 3 is drawn." in html
    assert len(html) < 1_000_000
