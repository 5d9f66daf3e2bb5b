"""Schemes that answer on one side alone, from `hil run` to its summary."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from hil import bundle, data
from hil.schemes.halves import load_device
from hil.training.api import ensure_bundle
from hil_tests.patience import PATIENCE_S
from hil_tests.twin import firmware

pytestmark = pytest.mark.twin

FEW_EPOCHS = {
    "deepcod": {"teacher_epochs": 3, "epochs": 5},
    "edge_only": {"epochs": 4},
    "mcunet": {"epochs": 6},
    "spinn": {"epochs": 4},
}
"""Enough to be right about most digits."""

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def bundles() -> dict[str, Path]:
    """In the cache, as every bundle that tests share."""
    return {scheme: ensure_bundle(scheme, "digits", epochs) for scheme, epochs in FEW_EPOCHS.items()}


@pytest.fixture
def run(bundles: dict[str, Path], tmp_path: Path) -> Run:
    """`hil run --json` with the bundle of a scheme; the summary."""
    if not firmware.have_compiler():
        pytest.skip(f"{firmware.GCC} is not on PATH")

    def make(scheme: str, *arguments: object, code: int = 0, path: Path | None = None) -> dict[str, Any]:
        command = [sys.executable, "-m", "hil", "run", "--json", "--bundle", str(path or bundles[scheme])]
        command += ["--scheme", scheme, "--out", str(tmp_path / "runs"), *map(str, arguments)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert ended.returncode == code, ended.stderr
        loaded: dict[str, Any] = json.loads(ended.stdout)
        return loaded

    return make


@pytest.mark.parametrize("scheme", FEW_EPOCHS)
def test_a_run_agrees_with_the_host_and_its_parts_add_up(run: Run, scheme: str) -> None:
    summary = run(scheme, "--n", 20, "--server-ms", 2)
    assert summary["valid"], summary["issues"]
    assert summary["host_agreement"] == 1.0
    assert summary["float_accuracy"] > 0.7
    assert abs(summary["accuracy"] - summary["float_accuracy"]) < 0.051, "at most one sample of 20"
    latency = summary["latency_ms"]
    parts = sum(latency[part] for part in ("local", "link", "remote", "fuse"))
    assert parts == pytest.approx(latency["mean"], rel=0.01)


def test_without_a_local_half_every_pixel_is_sent_and_the_server_answers(run: Run) -> None:
    summary = run("edge_only", "--n", 6, "--server-ms", 2)
    assert summary["outcomes"]["answered"] == 6
    assert summary["cycles"]["per_layer"] == []
    assert summary["payload_bytes"]["raw"] == 64
    assert 0 < summary["payload_bytes"]["mean"] < 80
    assert summary["latency_ms"]["local"] < 0.1, "a quantiser and a coder, and no layer"


def test_an_encoder_without_a_local_answer_sends_its_measurements(run: Run) -> None:
    summary = run("deepcod", "--n", 6, "--server-ms", 2)
    assert summary["outcomes"]["answered"] == 6
    assert len(summary["cycles"]["per_layer"]) == 2
    assert summary["payload_bytes"]["raw"] == 36
    assert 0 < summary["payload_bytes"]["mean"] < 36


def test_pixels_go_as_they_are_where_no_codec_is_asked_for(
    run: Run, bundles: dict[str, Path], tmp_path: Path
) -> None:
    packed = bundle.load(bundles["edge_only"])
    assert packed.manifest.payload is not None
    manifest = replace(packed.manifest, payload=replace(packed.manifest.payload, codec="none"))
    bundle.save(replace(packed, manifest=manifest), tmp_path / "plain.safetensors")
    summary = run("edge_only", "--n", 4, "--server-ms", 2, path=tmp_path / "plain.safetensors")
    assert summary["valid"], summary["issues"]
    assert summary["host_agreement"] == 1.0
    assert summary["payload_bytes"] == {"mean": 64.0, "p95": 64.0, "raw": 64}


def test_without_a_local_half_a_lost_link_leaves_no_answer_and_a_reason(run: Run, tmp_path: Path) -> None:
    summary = run("edge_only", "--n", 4, "--radio", "ble-270k", "--deadline-ms", 2, "--server-ms", 1, code=1)
    assert summary["outcomes"] == {"answered": 0, "fallback": 0, "local": 0, "failed": 4}
    assert not summary["valid"]
    assert summary["accuracy"] == 0.0
    (issue,) = [issue for issue in summary["issues"] if issue["code"] == "failed-samples"]
    assert "deadline" in issue["message"]
    (folder,) = (tmp_path / "runs").iterdir()
    assert "deadline" in (folder / "samples.csv").read_text()


def test_without_a_server_nothing_is_sent_and_no_radio_is_used(run: Run) -> None:
    summary = run("mcunet", "--n", 6, "--radio", "ble-270k:loss=0.5")
    assert summary["outcomes"]["local"] == 6
    assert summary["radio"] == "none"
    assert summary["payload_bytes"] == {"mean": 0.0, "p95": 0.0, "raw": 0}
    assert summary["latency_ms"]["link"] == summary["latency_ms"]["remote"] == 0.0
    assert set(summary["latency_ms"]["sources"].values()) == {"twin_cycles"}, (
        "nothing rests on a host's clock"
    )
    assert summary["energy_mj"]["radio"] == 0.0
    assert sum(layer["cycles"] for layer in summary["cycles"]["per_layer"]) > 500_000


def test_a_sure_device_sends_nothing_and_an_unsure_one_asks(
    run: Run, bundles: dict[str, Path], tmp_path: Path
) -> None:
    samples, made = 16, bundle.load(bundles["spinn"])
    images = made.manifest.input.prepare(data.get("digits").load("test").images)
    with torch.inference_mode():
        local, _ = load_device(made)(torch.from_numpy(images).permute(0, 3, 1, 2))
    middling = float(local.softmax(1).amax(1).median())
    bundle.save(
        replace(made, manifest=replace(made.manifest, exit_confidence=middling)), tmp_path / "s.safetensors"
    )
    summary = run("spinn", "--n", samples, "--server-ms", 2, path=tmp_path / "s.safetensors")
    assert summary["valid"], summary["issues"]
    assert summary["host_agreement"] == 1.0
    outcomes = summary["outcomes"]
    assert summary["exits"] == outcomes["local"]
    assert outcomes["local"] + outcomes["answered"] == samples
    assert 0 < outcomes["local"] < samples, "about half of them"
    assert 0 < summary["payload_bytes"]["mean"] < summary["payload_bytes"]["raw"]


def test_a_lost_link_leaves_spinn_the_answer_of_its_exit(run: Run) -> None:
    summary = run("spinn", "--n", 8, "--radio", "ble-270k", "--deadline-ms", 2, "--server-ms", 1)
    assert summary["valid"], summary["issues"]
    assert summary["outcomes"]["local"] + summary["outcomes"]["fallback"] == 8
    assert summary["exits"] + summary["fallbacks"] == 8


def test_two_runs_without_a_server_give_the_same_figures(run: Run) -> None:
    one, other = (run("mcunet", "--n", 3, "--seed", 5) for _ in range(2))
    for key in ("accuracy", "latency_ms", "cycles", "energy_mj", "memory"):
        assert one[key] == other[key]
