"""The stand-in for Renode as an executable."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]

MakeRenode = Callable[..., Path]


@pytest.fixture
def make_renode(tmp_path: Path) -> MakeRenode:
    """Writes an executable `renode` into a folder; `version` makes it one that only tells that."""

    def make(folder: Path | None = None, version: str | None = None) -> Path:
        place = folder or tmp_path / "renode-portable"
        place.mkdir(parents=True, exist_ok=True)
        program = place / "renode"
        fake = f'PYTHONPATH="{ROOT}" exec "{sys.executable}" "{HERE / "fake_renode.py"}" "$@"'
        program.write_text("#!/bin/sh\n" + (f"echo '{version}'" if version is not None else fake) + "\n")
        program.chmod(0o755)
        return program

    return make
