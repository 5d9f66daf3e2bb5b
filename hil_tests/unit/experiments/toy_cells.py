"""The toy data set where experiments look for theirs, and settings of a cell on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hil.data import registry as datasets
from hil.schemes.agilenn import AgileNN
from hil.schemes.edge_only import EdgeOnly
from hil_tests.unit.training.toy import RECIPE, Toy
from hil_tests.unit.training.toy_classifiers import EDGE_ONLY


def toy_cells(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """Everything is trained in seconds, into `cache`."""
    monkeypatch.setitem(datasets._DATASETS, "toy", Toy())
    for scheme, recipe in ((AgileNN, RECIPE), (EdgeOnly, replace(EDGE_ONLY, epochs=2))):
        for name in ("recipe", "small_recipe"):
            monkeypatch.setattr(scheme, name, lambda self, dataset, given=recipe: given)
    monkeypatch.setenv("HIL_CACHE", str(cache))


def settings(**changes: Any) -> dict[str, Any]:
    """Of a cell that trains."""
    return {
        "dataset": "toy",
        "short": False,
        "train": True,
        "samples": 8,
        "rounds": 1,
        "size": "full",
        **changes,
    }
