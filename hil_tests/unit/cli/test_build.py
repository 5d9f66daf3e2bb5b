"""`hil build` and `hil run`: what they make of their choice of kernels."""

from __future__ import annotations

import pytest

from hil.cli import main


@pytest.mark.parametrize("verb", ["build", "run"])
def test_kernels_go_by_known_names(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--kernels", "tunes"]) == 2
    assert "did you mean 'tuned'? valid: plain, tuned" in capsys.readouterr().err


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
