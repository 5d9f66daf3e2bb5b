"""The command line as a whole: help, errors and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import hil
from hil.cli import app, main
from hil.errors import BuildError
from hil_tests.patience import PATIENCE_S

VERBS = ("run", "compare", "train", "build", "serve", "twin", "boards", "zoo", "bench", "doctor")


def hil_process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hil", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env={**os.environ, **environment},
        check=False,
    )


def raising(error: BaseException):
    def invoke(arguments: list[str]) -> int:
        raise error

    return invoke


def test_help_names_every_verb_and_imports_nothing_heavy() -> None:
    answer = hil_process("--help", PYTHONPROFILEIMPORTTIME="1")
    assert answer.returncode == 0
    assert all(f" {verb} " in answer.stdout for verb in VERBS)
    imported = {line.rpartition("|")[2].strip() for line in answer.stderr.splitlines()}
    assert not imported & {"torch", "numpy", "unicorn", "sklearn", "hil.pipeline"}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help"]) == 0
    assert f"hil {verb}" in capsys.readouterr().out


def test_no_verb_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "Start with: hil run" in capsys.readouterr().out


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"hil {hil.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (["rnu"], "error: no such command 'rnu'", "hint: did you mean 'run'?"),
        (["run", "--schem", "x"], "error: unknown option '--schem'", "hint: did you mean --scheme?"),
        (["run", "--scheme", "agilen"], "error: unknown scheme 'agilen'", "hint: did you mean 'agilenn'?"),
        (["run", "--dataset", "digit"], "error: unknown data set 'digit'", "hint: did you mean 'digits'?"),
        (["run", "--board", "twon"], "error: unknown board 'twon'", "hint: did you mean 'twin'?"),
        (["run", "--radio", "wifi"], "error: unknown radio 'wifi'", "hint: did you mean 'wifi-6m'?"),
        (["run", "--n", "x"], "error: invalid value for '--n' / '-n'", "hint: see: hil run --help"),
        (["run", "--n", "0"], "error: a run of 0 samples", "hint: take at least 1"),
        (["run", "--bundle", "/nowhere"], "error: there is no bundle at /nowhere", "hint: make one"),
        (["train", "--set", "batch"], "error: --set takes NAME=VALUE", "hint: for example"),
        (["train", "--set", "bach=1"], "error: unknown recipe setting 'bach'", "hint: did you mean 'batch'?"),
        (
            ["train", "--set", "progressive=true"],
            "error: codec 'lzw' cannot be read before",
            "hint: take codec=range",
        ),
        (["train", "--set", "rate_weight=0.1"], "error: rate_weight trains for", "hint: take codec=range"),
        (["train", "--recipe", "smal"], "error: unknown recipe 'smal'", "hint: did you mean 'small'?"),
        (["train", "--device", "cud"], "error: unknown device 'cud'", "hint: did you mean 'cuda'?"),
        (["train", "--plot", "p.png"], "error: p.png cannot be drawn to", "hint: the plot is an SVG"),
        (["twin"], "error: no image was given", "hint: name an ELF or BIN"),
        (
            ["twin", "x.elf", "--board", "nucleo"],
            "error: unknown board 'nucleo'",
            "hint: did you mean 'nucleo_f746zg'?",
        ),
    ],
)
def test_a_mistake_is_named_with_its_remedy(
    arguments: list[str], error: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert lines[-2].startswith(error)
    assert lines[-1].startswith(hint)


def test_a_program_gets_errors_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--board", "x", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["code"], error["message"]) == ("usage", "unknown board 'x'")
    assert "twin" in error["hint"]


def test_an_expected_error_has_a_traceback_only_when_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hil.cli.entry.invoke", raising(BuildError("gcc [failed]", "read its output")))
    assert main(["build"]) == 2
    assert capsys.readouterr().err == "error: gcc [failed]\nhint: read its output\n"
    assert main(["build", "-v"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_defect_is_told_from_a_mistake(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hil.cli.entry.invoke", raising(ZeroDivisionError("by zero")))
    assert main(["run", "--json"]) == 3
    captured = capsys.readouterr()
    assert "error: ZeroDivisionError: by zero" in captured.err
    assert json.loads(captured.out)["error"]["code"] == "internal"


def test_an_interrupt_is_silent_but_for_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hil.cli.entry.invoke", raising(KeyboardInterrupt()))
    assert main(["run"]) == 130
    assert capsys.readouterr() == ("", "")
    assert main(["run", "--json"]) == 130
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "interrupted"


def test_what_fails_because_of_a_signal_is_no_defect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hil.cli.entry.invoke", raising(RuntimeError("half an import")))
    monkeypatch.setattr("hil.interrupts._State.first", 15)
    assert main(["serve"]) == 143
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("hil ru", {"run"}),
        ("hil run --scheme ag", {"agilenn"}),
        ("hil run --dataset dig", {"digits"}),
        ("hil run --board t", {"twin"}),
        ("hil twin --board n", {"nucleo_f746zg"}),
        ("hil twin --timing i", {"instructions", "issue"}),
        ("hil run --radio wi", {"wifi-6m"}),
    ],
)
def test_the_shell_completes(words: str, expected: set[str]) -> None:
    answer = hil_process(
        _HIL_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(len(words.split()) - 1)
    )
    assert set(answer.stdout.split()) == expected


def test_completion_survives_a_broken_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    from hil.cli import complete

    monkeypatch.setattr("hil.schemes.registry.names", raising(RuntimeError("broken")))
    assert complete.schemes("") == []


def test_output_to_an_ascii_terminal_is_ascii() -> None:
    answer = hil_process("run", "--radio", "x", PYTHONIOENCODING="ascii:strict")
    assert answer.returncode == 2
    assert answer.stderr.isascii()


def test_verbs_are_functions_named_like_their_files() -> None:
    folder = Path(app.__file__).parent
    assert all((folder / f"{verb}.py").is_file() for verb in VERBS)
