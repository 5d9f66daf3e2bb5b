"""Cells that train, attribute or weigh, on the toy data set and on shipped bundles with a few images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hil import bundle, data
from hil.deploy.evaluate import Int8System, evaluate_int8
from hil.deploy.package import make_graph
from hil.errors import BundleError, HilError, UsageError
from hil.experiments.measure import Cell, Context, Measure
from hil.experiments.measures import convergence, explaining, fusion, skewing, trained
from hil.experiments.measures.convergence import CONVERGENCE, STANDARD, WAYS
from hil.experiments.measures.explaining import EXPLAINING
from hil.experiments.measures.fusion import FUSION
from hil.experiments.measures.skewing import SKEWING
from hil.zoo import shelf
from hil_tests.unit.experiments.toy_cells import settings, toy_cells
from hil_tests.unit.training.toy import RECIPE

HERE = Context()


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One cache for all, so that each training happens once."""
    with pytest.MonkeyPatch.context() as patch:
        cache = tmp_path_factory.mktemp("cache")
        toy_cells(patch, cache)
        yield cache


def test_a_curve_has_settled_where_it_no_longer_leaves_its_end() -> None:
    assert trained.settled([0.2, 0.99, 0.5, 0.98, 0.985]) == 4
    assert trained.settled([0.9]) == 1


@pytest.mark.parametrize("way", [STANDARD, "ig-1"])
def test_a_way_to_train_has_curves_an_end_and_a_price(toy: Path, way: str) -> None:
    found = convergence.convergence(settings(way=way), HERE)
    epochs = found.figures["epochs"]
    assert {len(curve) for curve in found.curves.values()} == {epochs}
    assert ("skewness_by_epoch" in found.curves) == (way == "ig-1")
    assert found.sources["step_ms"] == found.sources["epoch_s"] == "measured_host"
    assert 0 < found.figures["accuracy"] <= 1  # type: ignore[operator]


def test_what_is_compared_with_itself_costs_as_much(toy: Path) -> None:
    uncut = convergence.convergence(settings(way=STANDARD), HERE)
    cut = convergence.convergence(settings(way="none"), HERE)
    assert uncut.figures["over_standard"] == 1
    assert cut.figures["over_cut"] == 1


def test_without_a_training_the_steps_time_is_what_there_is(toy: Path) -> None:
    cell = settings(way="ig-2", train=False)
    found = convergence.convergence(cell, HERE)
    assert convergence.inputs(cell, HERE) == {"bundle": "none"}
    assert found.figures["step_ms"] is not None
    assert "accuracy" not in found.figures
    assert not found.curves


def test_a_higher_target_gives_a_higher_skewness_and_bytes_by_every_codec(toy: Path) -> None:
    low, high = (skewing.skewing(settings(rho=rho), HERE).figures for rho in (0.1, RECIPE.rho))
    assert high["skewness"] > low["skewness"]  # type: ignore[operator]
    assert high["best_bytes"] <= high["lzw_bytes"]  # type: ignore[operator]
    assert high["packed_samples"] == 8


def test_a_network_that_does_not_use_its_local_half_answers_as_the_remote_one(toy: Path) -> None:
    learned, fixed = (fusion.fusion(settings(how="trained", alpha=alpha), HERE) for alpha in (0.0, 0.4))
    assert (learned.figures["fixed"], fixed.figures["fixed"]) == (False, True)
    assert fixed.figures["alpha"] == 0.4


def test_in_a_finished_bundle_the_weight_alone_is_replaced(toy: Path) -> None:
    def answered(alpha: float) -> Any:
        cell = settings(dataset="digits", how="replaced", alpha=alpha, samples=40)
        return fusion.fusion(cell, HERE).figures

    learned, alone = answered(0.0), answered(1 - 1e-9)
    shipped = shelf.find("agilenn", "digits")
    assert shipped is not None
    assert learned["alpha"] == bundle.read_manifest(shipped).alpha
    assert alone["accuracy"] == alone["local_accuracy"] == learned["local_accuracy"]
    assert learned["accuracy"] == _deployed(shipped, 40) > alone["accuracy"]


def _deployed(path: Path, count: int) -> float:
    """Accuracy of the system as it would answer."""
    made, split = bundle.load(path), data.get("digits").load("test").first(count)
    return evaluate_int8(made, split.images, split.labels, sizes=False).accuracy


def test_a_scheme_without_a_local_answer_has_nothing_to_weigh() -> None:
    made = bundle.load(shelf.FOLDER / "deepcod-digits.safetensors")
    system, split = Int8System(made, make_graph(made)), data.get("digits").load("test").first(1)
    with pytest.raises(UsageError, match="no logits"):
        system.logits(made.manifest.input.prepare(split.images))


@pytest.mark.parametrize("method", ["saliency", "ig-32"])
def test_a_method_is_held_against_the_finest_integrated_gradients(toy: Path, method: str) -> None:
    cell = settings(dataset="digits", network="finished", method=method)
    found = explaining.explaining(cell, HERE)
    figures = found.figures
    assert len(found.curves["importance"]) == 24
    assert sum(found.curves["importance"]) == pytest.approx(1, abs=1e-5)
    assert (figures["completeness_gap"] is None) == (method == "saliency")
    if method == "ig-32":
        assert figures["rank_correlation"] == pytest.approx(1)
        assert figures["top_agreement"] == 1
    assert figures["skewness"] <= figures["skewness_any"] + 1e-9  # type: ignore[operator]


def test_networks_are_trained_by_one_method_or_the_other(toy: Path) -> None:
    cells = [settings(network="trained", method=method) for method in ("ig-1", "saliency")]
    names = {explaining.inputs(cell, HERE)["bundle"] for cell in cells}
    found = [explaining.explaining(cell, HERE).figures for cell in cells]
    assert len(names) == 2
    assert found[0]["skewness_fine"] != found[1]["skewness_fine"]
    assert all(figures["over_cut"] for figures in found)


@pytest.mark.parametrize(
    ("measure", "changes"),
    [
        (CONVERGENCE, {"way": "nowhere"}),
        (FUSION, {"how": "guessed", "alpha": 0.1}),
        (EXPLAINING, {"network": "dreamt", "method": "ig-1"}),
        (EXPLAINING, {"network": "trained", "method": "tea-leaves"}),
    ],
)
def test_what_nobody_knows_is_named_before_anything_is_measured(
    toy: Path, measure: Measure, changes: dict[str, Any]
) -> None:
    with pytest.raises(UsageError):
        Cell(measure, settings(**changes)).key(HERE)


@pytest.mark.parametrize(
    ("function", "changes"),
    [
        (fusion.fusion, {"how": "replaced", "alpha": 1.0, "dataset": "digits"}),
        (explaining.explaining, {"network": "finished", "method": "tea-leaves", "dataset": "digits"}),
    ],
)
def test_what_cannot_be_is_a_cells_error(
    toy: Path, function: Callable[[Any, Context], object], changes: dict[str, Any]
) -> None:
    with pytest.raises(HilError):
        function(settings(**changes), HERE)


@pytest.mark.parametrize(
    ("measure", "changes"),
    [(SKEWING, {"rho": 0.123}), (FUSION, {"how": "trained", "alpha": 0.123})],
)
def test_a_missing_bundle_is_named_with_what_makes_it(
    toy: Path, measure: Measure, changes: dict[str, Any]
) -> None:
    with pytest.raises(BundleError) as raised:
        Cell(measure, settings(train=False, **changes)).key(HERE)
    (name, value), *_ = [(name, value) for name, value in changes.items() if name != "how"]
    assert f"hil train --scheme agilenn --dataset toy --set {name}={value}" in raised.value.hint


@pytest.mark.parametrize(
    ("measure", "changes"),
    [
        (SKEWING, {"rho": 0.7}),
        (FUSION, {"how": "trained", "alpha": 0.4}),
    ],
)
def test_a_cell_that_trained_its_bundle_keeps_its_key(
    toy: Path, measure: Measure, changes: dict[str, Any]
) -> None:
    cell = Cell(measure, settings(**changes))
    before = cell.key(HERE)
    measure.function(cell.settings, HERE)
    assert cell.key(HERE) == before


def test_all_ways_to_train_can_be_timed() -> None:
    from hil.experiments.measures.step_time import step_time

    digits = data.get("digits")
    for way in ("reused", "ig-2"):
        taken = step_time(digits, WAYS[way].changes, "full", 2, 1)
        assert min(taken.own_ms, taken.cut_ms, taken.standard_ms) > 0
