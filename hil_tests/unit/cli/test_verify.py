"""`hil verify` says what became of a run folder, file by file."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hil.cli import main
from hil_tests.unit.session.fakes import run_fake

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return run_fake(tmp_path, n=2).folder


def verified(capsys: Capture, *arguments: str | Path) -> tuple[int, dict[str, Any]]:
    code = main(["verify", "--json", *map(str, arguments)])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, document


def test_what_a_run_left_is_intact_here_and_for_sha256sum(run: Path, capsys: Capture) -> None:
    code, document = verified(capsys, run)
    assert code == 0
    (found,) = document["runs"]
    assert found["state"] == "intact"
    assert (found["changed"], found["missing"], found["extra"]) == ([], [], [])
    assert (found["samples"], found["partial"]) == (2, False)
    checked = subprocess.run(
        ["sha256sum", "-c", "MANIFEST.sha256"], cwd=run, capture_output=True, check=False
    )
    assert checked.returncode == 0


@pytest.mark.parametrize("name", ["summary.json", "events.jsonl", "artefacts/firmware.elf"])
def test_one_bit_of_any_file_is_found(run: Path, capsys: Capture, name: str) -> None:
    content = bytearray((run / name).read_bytes())
    content[len(content) // 2] ^= 1
    (run / name).write_bytes(content)
    code, document = verified(capsys, run)
    assert code == 1
    assert document["runs"][0]["changed"] == [name]


def test_a_file_that_is_gone_is_named_and_one_that_came_is_no_change(run: Path, capsys: Capture) -> None:
    (run / "wire.jsonl").unlink()
    (run / "notes.txt").write_text("mine")
    (run / "report.html").write_text("hil's")
    code, document = verified(capsys, run)
    assert code == 1
    assert document["runs"][0]["missing"] == ["wire.jsonl"]
    assert document["runs"][0]["extra"] == ["notes.txt"]


def test_a_link_in_the_place_of_a_file_is_a_change(run: Path, capsys: Capture, tmp_path: Path) -> None:
    (run / "server.log").rename(tmp_path / "elsewhere")
    (run / "server.log").symlink_to(tmp_path / "elsewhere")
    code, document = verified(capsys, run)
    assert code == 1
    assert document["runs"][0]["changed"] == ["server.log"]


def test_a_run_without_a_manifest_is_partial(run: Path, capsys: Capture) -> None:
    (run / "MANIFEST.sha256").unlink()
    assert main(["verify", str(run)]) == 1
    assert "partial (2 samples; no manifest" in capsys.readouterr().out


def test_a_folder_of_runs_is_all_of_them(run: Path, tmp_path: Path, capsys: Capture) -> None:
    run_fake(tmp_path, n=1)
    code, document = verified(capsys, tmp_path / "runs")
    assert code == 0
    assert [found["samples"] for found in document["runs"]] == [2, 1]


@pytest.mark.parametrize("line", ["../../etc/passwd", "/etc/passwd"])
def test_a_manifest_that_leads_out_of_its_folder_is_refused(run: Path, capsys: Capture, line: str) -> None:
    with (run / "MANIFEST.sha256").open("a") as file:
        file.write(f"{'0' * 64}  {line}\n")
    assert main(["verify", str(run)]) == 2
    assert "is damaged" in capsys.readouterr().err


def test_what_is_no_run_is_refused(tmp_path: Path, capsys: Capture) -> None:
    assert main(["verify", str(tmp_path)]) == 2
    assert "is no run folder" in capsys.readouterr().err
    assert main(["verify", str(tmp_path / "nothing")]) == 2
