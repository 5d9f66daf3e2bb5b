"""Our figures beside the paper's, from cells that were made up: the word follows from the figures."""

from __future__ import annotations

from typing import Any

import pytest

from hil.experiments import alpha, convergence, skewness, xai
from hil.experiments.choose import Wish, choose
from hil.experiments.experiment import Experiment
from hil.experiments.measures.trained import FIXED
from hil.experiments.result import CellResult

EXPERIMENTS = [each.EXPERIMENT for each in (convergence, alpha, skewness, xai)]


def _cell(settings: dict[str, Any], **figures: Any) -> CellResult:
    return CellResult({"dataset": "digits", **settings}, figures=figures)


def _words(experiment: Experiment, *cells: CellResult) -> list[str]:
    return [beside.word for beside in experiment.beside(cells)]


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.90, 0.60, "as in the paper"),
        (0.98, 0.60, "as in the paper at 0.9 alone"),
        (0.98, 0.98, "differs: neither end hurts"),
    ],
)
def test_an_unequal_alpha_hurts_or_does_not(low: float, high: float, word: str) -> None:
    cells = [
        _cell({"how": "replaced", "alpha": value}, alpha=value or 0.3, fixed=bool(value), accuracy=accuracy)
        for value, accuracy in ((0.0, 0.98), (0.1, low), (0.9, high))
    ]
    assert _words(alpha.EXPERIMENT, *cells) == [word]


@pytest.mark.parametrize(
    ("bytes_", "zeros", "word"),
    [
        ((200, 100), (0.5, 0.7), "as in the paper"),
        ((200, 100), (0.7, 0.5), "as in the paper in bytes, not in zeros"),
        ((100, 200), (0.5, 0.7), "worse: not less to send"),
    ],
)
def test_a_higher_target_sends_less_or_does_not(
    bytes_: tuple[float, float], zeros: tuple[float, float], word: str
) -> None:
    cells = [
        _cell({"rho": rho}, lzw_bytes=sent, zero_share=zero, skewness=rho, accuracy=0.98)
        for rho, sent, zero in zip((0.5, 0.95), bytes_, zeros, strict=True)
    ]
    assert _words(skewness.EXPERIMENT, *reversed(cells)) == [word, "as in the paper"]


def test_a_target_that_was_missed_is_named() -> None:
    cells = [
        _cell({"rho": rho}, lzw_bytes=100, zero_share=0.5, skewness=0.7, accuracy=0.98) for rho in (0.5, 0.95)
    ]
    assert _words(skewness.EXPERIMENT, *cells)[1] == "worse at ρ = 0.95"


def _trained(method: str, accuracy: float, skewed: float) -> CellResult:
    settings = {"network": "trained", "method": method}
    return _cell(settings, accuracy=accuracy, skewness_fine=skewed, payload_bytes=170.0)


@pytest.mark.parametrize(
    ("accuracy", "skewed", "word"),
    [
        (0.98, 0.80, "as in the paper"),
        (0.95, 0.80, "differs in accuracy"),
        (0.95, 0.60, "differs in accuracy and skewness"),
    ],
)
def test_saliency_makes_the_same_network_or_another(accuracy: float, skewed: float, word: str) -> None:
    cells = _trained("ig-1", 0.98, 0.8), _trained("saliency", accuracy, skewed)
    assert _words(xai.EXPERIMENT, *cells) == [word]


def test_saliency_says_the_same_of_a_network_or_something_else() -> None:
    def said(method: str, order: float) -> CellResult:
        settings = {"network": "finished", "method": method}
        return _cell(settings, rank_correlation=order, top_agreement=0.9, over_saliency=2.0)

    assert _words(xai.EXPERIMENT, said("ig-1", 1.0), said("saliency", 0.95)) == ["as in the paper"]
    (word,) = _words(xai.EXPERIMENT, said("ig-1", 1.0), said("saliency", 0.4))
    assert word.startswith("differs")


def _way(way: str, over_cut: float = 1.0, **figures: Any) -> CellResult:
    return _cell({"way": way}, over_cut=over_cut, over_standard=over_cut, **figures)


def test_a_training_that_settles_later_or_lower_is_worse_in_words() -> None:
    standard = _way("mobilenetv2", accuracy=0.99, settled_epoch=4)
    good = _way("ig-1", 1.6, accuracy=0.985, settled_epoch=5)
    bad = _way("ig-1", 1.6, accuracy=0.95, settled_epoch=9)
    cheaper = _way("every-4", 1.2)
    as_the_paper = "as in the paper: dear, and cheaper by what it names as open"
    assert _words(convergence.EXPERIMENT, standard, good, cheaper) == ["as in the paper", as_the_paper]
    assert _words(convergence.EXPERIMENT, standard, bad)[0] == (
        "worse: settles later; worse: 4.0 points less accurate"
    )


def test_without_trainings_only_the_step_is_compared() -> None:
    cells = _way("mobilenetv2"), _way("ig-1", 1.6)
    assert _words(convergence.EXPERIMENT, *cells) == ["as in the paper: dear"]


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda each: each.name)
def test_a_quick_run_has_some_of_the_cells_and_every_claim_still_has_its_ends(experiment: Experiment) -> None:
    quick, whole = (list(experiment.cells(choose(experiment, Wish(quick=quick)))) for quick in (True, False))
    assert 0 < len(quick) < len(whole)
    assert all(cell.settings["short"] for cell in quick)
    assert {*FIXED, "dataset"} <= set(whole[0].settings)


@pytest.mark.parametrize("experiment", [alpha.EXPERIMENT, xai.EXPERIMENT], ids=lambda each: each.name)
def test_hours_of_training_are_no_cells_unless_they_are_asked_for(experiment: Experiment) -> None:
    def trained(*changes: str) -> bool:
        cells = experiment.cells(choose(experiment, Wish(("cifar10",), changes=changes)))
        return any("trained" in cell.settings.values() for cell in cells)

    assert not trained()
    assert trained("train=true")
