"""A bundle of one's own comes before the shipped one."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.errors import UsageError
from hil.training import api
from hil.zoo import shelf
from hil.zoo.trained import trained


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HIL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(shelf, "FOLDER", tmp_path)
    path = tmp_path / "agilenn-digits.safetensors"
    path.touch()
    return path


def test_the_shipped_one_is_taken_until_there_is_an_own(shipped: Path) -> None:
    assert trained("agilenn", "digits") == shipped
    own = api.cached_bundle_path("agilenn", "digits")
    own.parent.mkdir(parents=True)
    own.touch()
    assert trained("agilenn", "digits") == own


def test_another_seed_or_data_set_is_not_the_shipped_one(shipped: Path) -> None:
    assert trained("agilenn", "digits", seed=1) is None
    assert trained("agilenn", "cifar10") is None


def test_names_are_looked_up(shipped: Path) -> None:
    with pytest.raises(UsageError, match="unknown scheme"):
        trained("agile", "digits")
