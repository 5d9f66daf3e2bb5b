"""`hil report` writes a page, or text for programs, and says what it cannot do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hil.cli.app import invoke
from hil.errors import UsageError
from hil_tests.unit.report.results import result, write_result
from hil_tests.unit.report.run_folders import write_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "runs" / "one", found=[])


def test_the_page_of_a_run_goes_into_its_folder(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["report", str(run)]) == 0
    assert capsys.readouterr().out == f"{run / 'report.html'}\n"
    assert (run / "report.html").read_text().startswith("<!doctype html>")


def test_a_folder_of_runs_stands_for_its_latest(run: Path) -> None:
    invoke(["report", str(run.parent)])
    assert (run / "report.html").is_file()


def test_the_page_of_an_experiment_goes_into_its_folder(tmp_path: Path) -> None:
    folder = write_result(tmp_path / "bandwidth", result(charts=()))
    invoke(["report", str(folder / "experiment.json")])
    assert "How does latency follow" in (folder / "report.html").read_text()


@pytest.mark.parametrize(
    ("form", "begin"), [("json", "{"), ("csv", ""), ("md", "### "), ("junit", "<?xml"), ("html", "<!doctype")]
)
def test_every_form_can_go_to_stdout(
    run: Path, tmp_path: Path, form: str, begin: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for what in (run, write_result(tmp_path / "experiment", result(charts=()))):
        assert invoke(["report", str(what), "--format", form, "--out", "-"]) == 0
        assert capsys.readouterr().out.startswith(begin)
        assert not (what / "report.html").exists()


def test_other_forms_go_to_stdout_by_themselves_and_to_a_file_if_asked(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    invoke(["report", str(run), "-f", "json"])
    printed = capsys.readouterr().out
    invoke(["report", str(run), "-f", "json", "-o", str(tmp_path / "r.json")])
    assert json.loads(printed) == json.loads((tmp_path / "r.json").read_text())


def test_what_cannot_be_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="format"):
        invoke(["report", str(run), "--format", "pdf"])
    with pytest.raises(UsageError, match=r"there is no .*nowhere"):
        invoke(["report", str(tmp_path / "nowhere")])
    with pytest.raises(UsageError, match="--with"):
        invoke(["report", str(run), "--format", "csv", "--with", str(run)])
    with pytest.raises(UsageError, match="cannot write"):
        invoke(["report", str(run), "--format", "csv", "--out", str(tmp_path / "no/such/file")])
