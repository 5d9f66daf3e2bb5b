"""`hil bench kernels` and `hil bench firmware`: names, and the forms of their output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hil.bench import firmware, kernels
from hil.cli import main
from hil.deploy import build
from hil_tests.unit.bench.comparisons import KERNELS, PLAIN, TUNED


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "prepare_toolchain", lambda: None)
    monkeypatch.setattr(kernels, "subject", lambda name: name)
    monkeypatch.setattr(kernels, "compare", lambda name, what, toolchain: KERNELS)
    monkeypatch.setattr(firmware, "measure", lambda path, samples, progress, recoded: [PLAIN, TUNED])


def _json(capsys: pytest.CaptureFixture[str], *command: str) -> Any:
    assert main(["bench", *command, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_kernels_as_json_has_every_network(capsys: pytest.CaptureFixture[str]) -> None:
    report = _json(capsys, "kernels")
    assert len(report["networks"]) == len(kernels.NETWORKS)
    one = report["networks"][0]
    assert one["total"]["cycles"] == 1_050_000
    assert [row["kernel"] for row in one["rows"]] == ["hil_conv", "arm_elementwise_add_s8"]
    assert len(_json(capsys, "kernels", "--network", "resnet8")["networks"]) == 1


def test_firmware_as_json_has_both_and_their_ratios(capsys: pytest.CaptureFixture[str]) -> None:
    report = _json(capsys, "firmware", "--bundle", "some.safetensors")
    assert [row["kernels"] for row in report["rows"]] == ["plain", "tuned"]
    assert report["rows"][0]["cycles"] == 226_000
    assert report["ratios"]["cycles"] == pytest.approx(226_000 / 45_010)


@pytest.mark.parametrize("verb", [["kernels"], ["firmware", "--bundle", "some.safetensors"]])
def test_markdown_is_a_table_and_not_json_as_well(
    verb: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", *verb, "--markdown"]) == 0
    assert "| --- |" in capsys.readouterr().out.replace("---:", "---")
    assert main(["bench", *verb, "--markdown", "--json"]) == 2
    assert "two forms" in capsys.readouterr().err


def test_an_unknown_codec_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "firmware", "--bundle", "some.safetensors", "--codec", "hufman"]) == 2
    assert "did you mean 'huffman'?" in capsys.readouterr().err


def test_an_unknown_network_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.undo()
    assert main(["bench", "kernels", "--network", "resnet9"]) == 2
    assert "did you mean 'resnet8'?" in capsys.readouterr().err


def test_a_bundle_that_is_not_there_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HIL_CACHE", str(tmp_path))
    assert main(["bench", "firmware", "--dataset", "svhn"]) == 2
    assert "hil train --scheme agilenn --dataset svhn" in capsys.readouterr().err
