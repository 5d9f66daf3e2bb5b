"""A training's epochs as curves: an SVG that is the same for the same figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hil.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PANELS: Final = {
    "loss": "loss",
    "accuracy": "accuracy, training samples",
    "skewness": "skewness",
    "bits_per_symbol": "bits per symbol",
    "learning_rate": "learning rate",
    "seconds_per_step": "seconds per step",
}


def check(path: Path) -> None:
    """Raises UsageError when `path` is no SVG: before a training, not after it."""
    if path.suffix.lower() != ".svg":
        raise UsageError(f"{path} cannot be drawn to", "the plot is an SVG: name it FILE.svg")


def draw(epochs: Sequence[Mapping[str, Any]], path: Path, title: str) -> None:
    """One panel for each figure that any epoch has, one curve for each phase, epochs in their order.

    Raises UsageError when `path` is no SVG, or there is nothing to draw.
    """
    check(path)
    panels = [name for name in _PANELS if any(name in epoch for epoch in epochs)]
    if not panels:
        raise UsageError("there are no epochs to draw")
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    # Identifiers inside an SVG are drawn from the clock unless they are salted.
    with rc_context({"svg.hashsalt": "hil", "svg.fonttype": "none"}):
        figure = Figure(figsize=(8, 1.8 * len(panels)), layout="constrained")
        axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axis, name in zip(axes, panels, strict=True):
            _panel(axis, epochs, name)
        axes[0].set_title(title)
        axes[0].legend(loc="best")
        axes[-1].set_xlabel("epoch, over all phases")
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None})


def _panel(axis: Axes, epochs: Sequence[Mapping[str, Any]], name: str) -> None:
    """The curve of each phase, in the phase's colour, whichever panel it is in."""
    for number, phase in enumerate(dict.fromkeys(epoch["phase"] for epoch in epochs)):
        points = [
            (at, epoch[name])
            for at, epoch in enumerate(epochs, start=1)
            if epoch["phase"] == phase and name in epoch
        ]
        if points:
            axis.plot(*zip(*points, strict=True), marker=".", color=f"C{number}", label=phase)
    axis.set_ylabel(_PANELS[name])
    axis.grid(alpha=0.3)
