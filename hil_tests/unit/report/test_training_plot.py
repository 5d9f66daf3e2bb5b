"""Curves of a training."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.errors import UsageError
from hil.report.training_plot import draw

EPOCHS = [
    {"phase": "reference", "epoch": 1, "loss": 2.0, "accuracy": 0.5, "seconds_per_step": 0.1},
    {"phase": "train", "epoch": 1, "loss": 1.0, "accuracy": 0.6, "skewness": 0.3, "seconds_per_step": 0.2},
    {"phase": "train", "epoch": 2, "loss": 0.5, "accuracy": 0.8, "skewness": 0.8, "seconds_per_step": 0.2},
]


def test_every_figure_and_phase_is_named(tmp_path: Path) -> None:
    draw(EPOCHS, tmp_path / "new" / "p.svg", "agilenn on toy")
    text = (tmp_path / "new" / "p.svg").read_text()
    for word in ("agilenn on toy", "reference", "train", "loss", "skewness", "seconds per step"):
        assert f">{word}<" in text
    assert "learning rate" not in text


def test_the_same_figures_give_the_same_file(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        draw(EPOCHS, tmp_path / name, "t")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_only_svg_and_only_something_is_drawn(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be drawn"):
        draw(EPOCHS, tmp_path / "p.png", "t")
    with pytest.raises(UsageError, match="no epochs"):
        draw([], tmp_path / "p.svg", "t")
