"""`hil build`: what it makes of its options, and the map as text, picture and JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hil.boards.protocol import BoardInfo
from hil.cli import build, main
from hil.deploy.codecs.pack import Packed
from hil.errors import UsageError
from hil.measure.source import Source
from hil_tests.unit.session.fakes import Model, deployment

BOARD = BoardInfo("twin", "", "disco_f746g", 1 << 20, 320 << 10, True, Source.TWIN_CYCLES, 921_600)


def test_the_map_is_shown_where_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = deployment(tmp_path, Model())
    build._print(made, BOARD, None, (), Packed(tmp_path), "none", as_json=False, arena_map=False)
    assert "offset" not in capsys.readouterr().out
    build._print(made, BOARD, None, (), Packed(tmp_path), "none", as_json=False, arena_map=True)
    shown = capsys.readouterr().out
    assert "offset" in shown
    assert "the least that its buffers can take" in shown


def test_there_is_nothing_to_explain_about_plain_kernels(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "--kernels", "plain", "--explain"]) == 2
    assert "leave --kernels plain out" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["build", "run"])
def test_codecs_go_by_known_names(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--codec", "contex"]) == 2
    assert "did you mean 'context'?" in capsys.readouterr().err


def test_an_aim_needs_a_choice(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "--codec", "range", "--codec-for", "energy"]) == 2
    assert "add --codec auto" in capsys.readouterr().err


def test_a_scheme_that_sends_nothing_has_no_codec(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "--scheme", "mcunet", "--codec", "range"]) == 2
    assert "leave --codec out" in capsys.readouterr().err


def test_json_has_the_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = deployment(tmp_path, Model())
    build._print(made, BOARD, None, (), Packed(tmp_path), "none", as_json=True, arena_map=True)
    report = json.loads(capsys.readouterr().out)
    assert report["memory"]["buffers"][0]["name"] == "x"


def test_the_picture_goes_to_a_file_or_says_why_not(tmp_path: Path) -> None:
    made = deployment(tmp_path, Model())
    build._draw(made, tmp_path / "map.svg")
    assert (tmp_path / "map.svg").read_text().startswith("<svg")
    with pytest.raises(UsageError, match=r"cannot write .*map\.svg: No such file"):
        build._draw(made, tmp_path / "missing" / "map.svg")
