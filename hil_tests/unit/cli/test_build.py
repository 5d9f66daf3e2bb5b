"""`hil build --map`: text, picture and JSON of one deployment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hil.boards.protocol import BoardInfo
from hil.cli import build
from hil.errors import UsageError
from hil.measure.source import Source
from hil_tests.unit.session.fakes import Model, deployment

BOARD = BoardInfo("twin", "", "disco_f746g", 1 << 20, 320 << 10, True, Source.TWIN_CYCLES, 921_600)


def test_the_map_is_shown_where_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = deployment(tmp_path, Model())
    build._print(made, BOARD, None, (), as_json=False, arena_map=False)
    assert "offset" not in capsys.readouterr().out
    build._print(made, BOARD, None, (), as_json=False, arena_map=True)
    shown = capsys.readouterr().out
    assert "offset" in shown
    assert "the least that its buffers can take" in shown


def test_json_has_the_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build._print(deployment(tmp_path, Model()), BOARD, None, (), as_json=True, arena_map=True)
    report = json.loads(capsys.readouterr().out)
    assert report["memory"]["buffers"][0]["name"] == "x"


def test_the_picture_goes_to_a_file_or_says_why_not(tmp_path: Path) -> None:
    made = deployment(tmp_path, Model())
    build._draw(made, tmp_path / "map.svg")
    assert (tmp_path / "map.svg").read_text().startswith("<svg")
    with pytest.raises(UsageError, match=r"cannot write .*map\.svg: No such file"):
        build._draw(made, tmp_path / "missing" / "map.svg")
