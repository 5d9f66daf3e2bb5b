"""`hil compare`: its exit codes, its forms of output, and input it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hil.cli import main
from hil_tests.unit.report.summaries import on_renode, summary


def stored(folder: Path, name: str, document: Any) -> Path:
    """A run folder with this summary; a string is written as it is."""
    (folder / name).mkdir()
    text = document if isinstance(document, str) else json.dumps(document)
    (folder / name / "summary.json").write_text(text)
    return folder / name


@pytest.fixture
def good(tmp_path: Path) -> str:
    return str(stored(tmp_path, "good", summary()))


@pytest.fixture
def bad(tmp_path: Path) -> str:
    return str(stored(tmp_path, "bad", summary(accuracy=0.5)))


def test_the_exit_code_says_whether_anything_regressed(
    good: str, bad: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", good, good]) == 0
    assert "no regression" in capsys.readouterr().out
    assert main(["compare", good, bad]) == 1
    assert "accuracy" in capsys.readouterr().out.splitlines()[-1]
    assert main(["compare", bad, good]) == 0


def test_the_file_is_as_good_as_its_folder(good: str, bad: str) -> None:
    assert main(["compare", f"{good}/summary.json", f"{bad}/summary.json"]) == 1


def test_without_a_terminal_it_is_plain(good: str, bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["compare", good, bad])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "…" not in out


def test_json_is_one_document(good: str, bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", good, bad, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["baseline"], document["new"]) == (good, bad)
    assert document["regressions"] == ["accuracy"]


def test_markdown_is_for_the_summary_of_a_ci_step(
    good: str, bad: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", good, bad, "--markdown"]) == 1
    assert capsys.readouterr().out.startswith("### ")


def test_thresholds_of_the_user(good: str, bad: str, tmp_path: Path) -> None:
    (tmp_path / "lax.toml").write_text("[accuracy]\nabsolute = 0.5\n")
    assert main(["compare", good, bad, "--thresholds", str(tmp_path / "lax.toml")]) == 0


def test_other_sources_need_a_word(good: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    renode = str(stored(tmp_path, "renode", on_renode()))
    assert main(["compare", good, renode]) == 2
    assert "hint: --across-sources" in capsys.readouterr().err
    assert main(["compare", good, renode, "--across-sources"]) == 0
    assert main(["compare", good, renode, "--only", "accuracy, memory,payload"]) == 0


def test_a_run_that_ended_early_needs_a_word(
    good: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    early = str(stored(tmp_path, "early", summary(partial=True, valid=False, samples=40)))
    for arguments in ([good, early], [early, good]):
        assert main(["compare", *arguments]) == 2
        assert "ended early, after 40 samples" in capsys.readouterr().err
    assert main(["compare", good, early, "--allow-partial"]) == 0


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("", "is no JSON"),
        ('{"schema": 1', "is no JSON"),
        ("[1]", "is no summary of a run"),
        ("{}", "is no summary of a run"),
        ({"schema": 1, "scheme": "agilenn"}, "is no summary of a run"),
        (summary(schema=2), "has schema 2, this hil compares schema 1"),
        ({"error": {"code": "board", "message": "it fell silent"}}, "an error instead of a summary: it fell"),
    ],
)
def test_what_is_no_summary_is_refused(
    good: str, tmp_path: Path, document: Any, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", good, str(stored(tmp_path, "odd", document))]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert "hint: " in captured.err


def test_a_binary_file_is_refused(good: str, tmp_path: Path) -> None:
    (tmp_path / "hil.elf").write_bytes(b"\x7fELF\xff\xfe\x00")
    assert main(["compare", good, str(tmp_path / "hil.elf")]) == 2


def test_a_missing_folder_is_named(good: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", good, str(tmp_path / "none")]) == 2
    assert "error: there is no " in capsys.readouterr().err


def test_the_folder_of_all_runs_names_the_latest(
    good: str, bad: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", good, str(tmp_path)]) == 2
    assert f"the latest is {good}" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["compare", good, str(tmp_path / "empty")]) == 2
    assert "has no summary.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--only", "energi"], "error: unknown group of figures 'energi'"),
        (["--markdown", "--json"], "error: --markdown and --json"),
        (["--thresholds", "/nowhere.toml"], "error: cannot read the thresholds"),
        (["--threshold", "x"], "error: unknown option '--threshold'"),
    ],
)
def test_a_mistake_is_named(
    good: str, arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", good, good, *arguments]) == 2
    assert error in capsys.readouterr().err


def test_the_groups_complete() -> None:
    from hil.cli import complete

    assert complete.groups("me") == ["memory"]
