"""A variant's run is a run of another bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hil.experiments.measure import Context, Found, Settings
from hil.experiments.measures import run, variant_run
from hil.experiments.measures.variant_run import VARIANT_RUN
from hil.zoo import shelf

DIGITS = {"dataset": "digits", "short": True, "deadline_ms": 20.0}


@pytest.fixture
def bundles(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """What would have been run, and nothing is trained."""
    monkeypatch.setenv("HIL_CACHE", str(tmp_path))
    begun: list[Path] = []

    def session(bundle: Path, settings: Settings, context: Context) -> dict[str, Any]:
        begun.append(bundle)
        return {}

    def trained(name: str, dataset: str, *, short: bool, data_dir: Path | None) -> Path:
        return tmp_path / f"{name}-{dataset}{'-short' * short}"

    monkeypatch.setattr(run, "session", session)
    monkeypatch.setattr(
        run, "found_in", lambda summary, settings: Found({"prefix_samples": 3, "samples": 12, "accuracy": 1})
    )
    monkeypatch.setattr(variant_run, "variant_bundle", trained)
    return begun


def test_a_scheme_is_its_own_bundle_and_a_variant_may_be_trained(bundles: list[Path], tmp_path: Path) -> None:
    for name in ("spinn", "agilenn-progressive"):
        found = VARIANT_RUN.function({**DIGITS, "variant": name}, Context())
        assert found.figures["prefix_share"] == 0.25
        assert found.figures["accuracy"] == 1
    assert bundles == [shelf.find("spinn", "digits"), tmp_path / "agilenn-progressive-digits-short"]
