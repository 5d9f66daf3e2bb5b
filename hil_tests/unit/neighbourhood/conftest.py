"""The toys instead of the templates, and a cache of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.neighbourhood import find
from hil_tests.unit.neighbourhood import toy


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HIL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(find, "templates", lambda: toy.ALL)
    toy.ASKED.clear()
