"""Hours of the board, with faults of every kind, in minutes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from hil.cli import main
from hil_tests.twin import firmware

pytestmark = [
    pytest.mark.twin,
    pytest.mark.skipif(not firmware.have_compiler(), reason=f"{firmware.GCC} is not on PATH"),
]


def soaked(tmp_path: Path, *options: str) -> dict[str, Any]:
    code = main(["soak", "--virtual", "--out", str(tmp_path), *options])
    (folder,) = tmp_path.iterdir()
    document: dict[str, Any] = json.loads((folder / "soak.json").read_text())
    assert code == 0, document["reasons"]
    assert (folder / "report.html").stat().st_size > 10_000
    assert [path.name for path in folder.iterdir() if path.is_dir()] == [], "sound runs leave no folder"
    return document


def test_a_short_soak_is_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = soaked(tmp_path, "--hours", "0.2", "--n", "8")
    assert document["board_s"] >= 0.2 * 3600
    assert document["never"] == 0
    assert "Sound." in capsys.readouterr().out


@pytest.mark.skipif(
    not (os.environ.get("HIL_SOAK") or os.environ.get("CI")),
    reason="three minutes of CPU: HIL_SOAK or CI asks for it",
)
def test_two_hours_of_the_board_leak_nothing_and_answer_nothing_wrongly(tmp_path: Path) -> None:
    document = soaked(tmp_path, "--hours", "2")
    assert document["board_s"] >= 2 * 3600
    assert document["memory"]["flat"]
    assert document["handles"]["flat"]
    assert len(document["injected"]) > 10
