"""`hil build`: what it makes of its options, and the map as a picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.cli import build, main
from hil.errors import UsageError
from hil_tests.unit.session.fakes import Model, deployment


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


def test_the_picture_goes_to_a_file_or_says_why_not(tmp_path: Path) -> None:
    made = deployment(tmp_path, Model())
    build._draw(made, tmp_path / "map.svg")
    assert (tmp_path / "map.svg").read_text().startswith("<svg")
    with pytest.raises(UsageError, match=r"cannot write .*map\.svg: No such file"):
        build._draw(made, tmp_path / "missing" / "map.svg")
