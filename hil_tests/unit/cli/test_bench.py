"""`hil bench accuracy`: its forms of output, and what it does about bundles that are not there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hil.bench import accuracy
from hil.cli import main
from hil.errors import BundleError
from hil.zoo import shelf
from hil_tests.unit.bench.rows import row


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HIL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(shelf, "FOLDER", tmp_path)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was asked for; a bundle called bad cannot be measured."""
    asked: list[Any] = []

    def measure(path: Path, settings: Any, progress: Any, again: bool) -> Any:
        asked.append((path.stem, settings, again))
        if path.stem == "bad":
            raise BundleError("bad.safetensors is damaged", "train it again")
        return row(scheme=path.stem)

    monkeypatch.setattr(accuracy, "measure", measure)
    return asked


def test_every_bundle_is_a_row(measured: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    bundles = ["--bundle", "one", "--bundle", "two"]
    chosen = ["--twin", "5", "--radio", "ble-270k", "--again", "--markdown"]
    assert main(["bench", "accuracy", *bundles, *chosen]) == 0
    out = capsys.readouterr().out
    assert "| one | 81.25 % | 81.00 % | +0.25 |" in out
    assert "| two |" in out
    assert [(name, again, settings.twin_samples, settings.radio) for name, settings, again in measured] == [
        ("one", True, 5, "ble-270k"),
        ("two", True, 5, "ble-270k"),
    ]


@pytest.mark.parametrize("form", [[], ["--json"], ["--markdown"]])
def test_a_bundle_that_fails_is_named_and_the_rest_goes_on(
    measured: list[Any], form: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "accuracy", "--bundle", "bad", "--bundle", "good", *form]) == 1
    printed = capsys.readouterr()
    assert "bad was not measured: bad.safetensors is damaged; train it again" in printed.err
    if form == ["--json"]:
        report = json.loads(printed.out)
        assert [each["scheme"] for each in report["rows"]] == ["good"]
        assert list(report["failed"]) == ["bad"]
    else:
        assert "good" in printed.out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--json", "--markdown"], "two forms of one output"),
        (["--bundle", "x", "--scheme", "agilenn"], "knows its scheme"),
        (["--scheme", "agile"], "unknown scheme"),
        (["--dataset", "cifar11"], "unknown data set"),
        (["--scheme", "agilenn"], "there is no bundle of agilenn for digits"),
        (["--samples", "-1"], "samples"),
        (["--radio", "wifi-7m", "--bundle", "x"], "unknown radio"),
    ],
)
def test_what_makes_no_sense_is_refused(
    given: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "accuracy", *given]) == 2
    assert said in capsys.readouterr().err


def test_a_file_that_is_no_bundle_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "noise").write_bytes(b"\x07" * 64)
    assert main(["bench", "accuracy", "--bundle", str(tmp_path / "noise")]) == 1
    printed = capsys.readouterr()
    assert "noise was not measured" in printed.err
    assert not printed.out, "no table without a row"
