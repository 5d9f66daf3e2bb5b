"""`hil neighbourhood`: what a stranger types, and what comes of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hil import paths
from hil.cli import main
from hil_tests.patience import PATIENCE_S


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HIL_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def test_a_neighbourhood_ends_in_a_score_a_page_and_json(tmp_path, capsys):
    assert main(["neighbourhood", "memory-plan", "--instances", "30", "--jobs", "1"]) == 0
    assert "memory-plan" in capsys.readouterr().out
    kept = json.loads((tmp_path / "runs/neighbourhood/neighbourhood.json").read_text())
    (found,) = kept["neighbourhoods"]
    assert (found["asked"], found["passed"], found["score"]) == (30, 30, "all")
    assert kept["command"] == "hil neighbourhood memory-plan --instances 30"
    assert "memory-plan" in (tmp_path / "runs/neighbourhood/report.html").read_text()


def test_after_an_interrupt_the_same_command_goes_on(tmp_path):
    command = [sys.executable, "-m", "hil", "neighbourhood", "radio", "--instances", "20000", "--jobs", "1"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stderr is not None
    until = time.monotonic() + PATIENCE_S
    while "2/100" not in process.stderr.readline():
        assert time.monotonic() < until
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    kept = json.loads((tmp_path / "runs/neighbourhood/neighbourhood.json").read_text())
    assert kept["partial"]
    assert 400 <= kept["asked"] < 20000
    again = subprocess.run(
        [*command[:5], "--instances", "400", "--jobs", "1"], capture_output=True, text=True, check=True
    )
    assert "2 batches, 2 of them asked before" in again.stderr


def test_the_list_names_every_template_with_its_question(capsys):
    assert main(["neighbourhood", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"convolution", "codec-lzw", "frame", "run"} <= {row["name"] for row in rows}
    assert all(row["question"].endswith("?") and row["full"] > 0 for row in rows)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["convolutoin"], "did you mean 'convolution'?"),
        (["--board", "twn"], "did you mean 'twin'?"),
        (["radio", "--board", "renode"], "asks nothing of board 'renode'"),
        (["radio", "--instances", "0"], "--instances"),
        (["radio", "--seed", "-1"], "--seed"),
    ],
)
def test_what_cannot_be_asked_is_refused(arguments, told, capsys):
    assert main(["neighbourhood", *arguments]) == 2
    assert told in " ".join(capsys.readouterr().err.split())


def test_without_hils_source_the_templates_are_said_to_be_missing(tmp_path):
    """As where hil is installed from a wheel."""
    (tmp_path / "site").mkdir()
    os.symlink(paths.PACKAGE, tmp_path / "site" / "hil")
    program = "import pathlib, sys; import hil.paths; hil.paths.REPOSITORY = pathlib.Path('site').absolute()"
    program += "; from hil.cli import main; sys.exit(main(['neighbourhood', 'list']))"
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert answer.returncode == 2
    assert "they are part of hil's source" in " ".join(answer.stderr.split())
