"""What a training came to: the figures of its bundle, and its epochs' where they were kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

from hil.experiments.measure import Context, Figure, Found, Settings
from hil.experiments.measures.supply import SHORT, TRAINED_AT_ONCE, Wanted
from hil.measure.source import Source

FIXED: Final[Mapping[str, Any]] = {"short": False, "train": None}
"""`short`: fewer epochs (`supply.SHORT`); `train`: whether what is missing is trained, however long it takes
(None: on the digits alone)."""
SHORTER: Final[Mapping[str, Any]] = {"short": True}
ROOMS: Final = ("codec", "data", "deploy", "explain", "schemes", "training")

_OF_THE_BUNDLE: Final = (
    *("accuracy", "local_accuracy", "skewness", "skewness_fine", "judge_accuracy", "disorder"),
    "payload_bytes",
)
_CURVES: Final = ("loss", "accuracy", "skewness")
_SETTLED: Final = 0.01


def canonical(settings: Settings) -> Settings:
    """Whether a bundle is trained or found decides nothing about it."""
    return {name: value for name, value in settings.items() if name != "train"}


def wanted(settings: Settings, changes: Mapping[str, Any], scheme: str = "agilenn") -> Wanted:
    """The bundle of a cell, for `dataset`, `short` and `train` among its settings."""
    fewer = SHORT[scheme] if settings["short"] and settings["dataset"] in TRAINED_AT_ONCE else {}
    return Wanted(scheme, settings["dataset"], {**changes, **fewer}, train=settings["train"])


def found_in(bundle: Path, context: Context) -> Found:
    """Figures of the float network on the whole test split, and of the epochs of its training.

    A bundle without figures beside it, as the shipped ones are, has no curves. Raises BundleError, DataError
    or TrainingError.
    """
    from hil import bundle as bundles
    from hil.training import metrics

    manifest = bundles.read_manifest(bundle)
    figures: dict[str, Figure] = {name: manifest.metrics.get(name) for name in _OF_THE_BUNDLE}
    figures["epochs"] = manifest.config["recipe"]["epochs"]
    beside = metrics.path_beside(bundle)
    if not beside.exists():
        return Found(figures)
    epochs = metrics.read(beside)
    steps = _steps(manifest.dataset, manifest.config["recipe"], context)
    trained = [epoch for epoch in epochs if epoch["phase"] == "train"]
    curves = {
        f"{name}_by_epoch": [float(epoch[name]) for epoch in trained]
        for name in _CURVES
        if name in trained[0]
    }
    figures |= {
        "settled_epoch": settled(curves["accuracy_by_epoch"]),
        "epoch_s": steps * median(epoch["seconds_per_step"] for epoch in trained),
        "training_s": steps * sum(epoch["seconds_per_step"] for epoch in epochs),
    }
    times = dict.fromkeys(("epoch_s", "training_s"), Source.MEASURED_HOST.value)
    return Found(figures, times, curves)


def settled(curve: Sequence[float]) -> int:
    """The epoch, from 1, after which the curve stays within a point of where it ends."""
    last = curve[-1]
    away = [number for number, value in enumerate(curve, 1) if abs(value - last) > _SETTLED]
    return max(away, default=0) + 1


def _steps(dataset: str, recipe: Mapping[str, Any], context: Context) -> int:
    """In an epoch."""
    from hil import data

    count = len(data.get(dataset).load("train", context.data_dir))
    count = min(count, recipe["limit"]) if recipe["limit"] else count
    return int(count // min(recipe["batch"], count))
