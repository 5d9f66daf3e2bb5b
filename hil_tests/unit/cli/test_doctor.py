"""`hil doctor` tells what is missing, and fails when something needed is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hil import doctor
from hil.cli import main
from hil.doctor import Check, Status
from hil.errors import ToolchainError


def test_it_checks_all_that_a_run_needs() -> None:
    names = {check.name for check in doctor.examine()}
    assert {"arm-none-eabi-gcc", "CMSIS-NN", "cmake", "ninja", "torch", "unicorn", "cache", "disk"} <= names


def test_everything_that_is_not_there_comes_with_something_to_do() -> None:
    assert all(check.hint for check in doctor.examine() if check.status is not Status.OK)


def test_a_missing_compiler_is_a_finding_with_the_tools_own_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise ToolchainError("there is no arm-none-eabi-gcc", "type: sudo apt-get install it")

    monkeypatch.setattr("hil.deploy.toolchain.find_compiler", missing)
    (check,) = [check for check in doctor.examine() if check.name == "arm-none-eabi-gcc"]
    assert check == Check(
        "arm-none-eabi-gcc", Status.MISSING, "there is no arm-none-eabi-gcc", "type: sudo apt-get install it"
    )
    assert main(["doctor"]) == 1


def test_a_check_that_breaks_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> Check:
        raise RuntimeError("odd")

    monkeypatch.setitem(doctor._CHECKS, "disk", broken)
    (check,) = [check for check in doctor.examine() if check.name == "disk"]
    assert (check.status, check.detail) == (Status.MISSING, "RuntimeError: odd")


def test_a_cache_that_cannot_be_written_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HIL_CACHE", str(tmp_path / "file" / "cache"))
    statuses = {check.name: check.status for check in doctor.examine()}
    assert statuses["cache"] is Status.MISSING


def test_json_says_the_same(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found = [Check("a", Status.OK, "here"), Check("b", Status.OPTIONAL, "gone", "get it")]
    monkeypatch.setattr(doctor, "examine", lambda: found)
    assert main(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["healthy"] is True
    assert report["checks"][1] == {"name": "b", "status": "optional", "detail": "gone", "hint": "get it"}
