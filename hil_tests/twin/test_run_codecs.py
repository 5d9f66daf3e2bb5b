"""A run with every codec: the device packs, the wire carries, the server half unpacks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hil_tests.patience import PATIENCE_S
from hil_tests.twin import firmware

pytestmark = [pytest.mark.twin, pytest.mark.slow]


def run(bundle: Path, folder: Path, *options: str) -> dict[str, Any]:
    if not firmware.have_compiler():
        pytest.skip(f"{firmware.GCC} is not on PATH")
    command = [sys.executable, "-m", "hil", "run", "--bundle", str(bundle), "--out", str(folder / "runs")]
    command += ["--json", "--n", "6", "--server-ms", "2", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads(done.stdout)
    assert summary["valid"], summary["issues"]
    return summary


@pytest.mark.parametrize(
    ("codec", "kernels"),
    [("none", "plain"), ("range", "plain"), ("huffman", "plain"), ("lz4", "plain"), ("context", "tuned")],
)
def test_every_codec_answers_as_the_host_does(
    digits_bundle: Path, tmp_path: Path, codec: str, kernels: str
) -> None:
    summary = run(digits_bundle, tmp_path, "--codec", codec, "--kernels", kernels)
    assert summary["host_agreement"] == 1.0
    assert summary["outcomes"]["answered"] == 6
    assert summary["payload_bytes"]["mean"] > 0


def test_over_a_slow_radio_the_shortest_payload_is_chosen(digits_bundle: Path, tmp_path: Path) -> None:
    slow = ("--radio", "ble-270k", "--kernels", "plain")
    own = run(digits_bundle, tmp_path, *slow)
    chosen = run(digits_bundle, tmp_path, *slow, "--codec", "auto", "--codec-for", "energy")
    assert chosen["payload_bytes"]["mean"] < own["payload_bytes"]["mean"]
    assert chosen["energy_mj"]["mean"] < own["energy_mj"]["mean"]
