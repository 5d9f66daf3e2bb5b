"""Whole runs on the real Renode."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hil.renode.find import Renode

pytestmark = [pytest.mark.renode, pytest.mark.slow]

SAMPLES = 100
LIMIT_S = 60.0


def run(bundle: Path, out: Path, *arguments: object) -> dict[str, Any]:
    command = [sys.executable, "-m", "hil", "run", "--json", "--bundle", str(bundle), "--out", str(out)]
    command += ["--server-ms", "2", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


def predictions(out: Path) -> list[tuple[str, str]]:
    (path,) = out.glob("*/samples.csv")
    with path.open() as file:
        return [(row["sample"], row["prediction"]) for row in csv.DictReader(file)]


def test_a_run_equals_the_twins(renode: Renode, digits_bundle: Path, tmp_path: Path) -> None:
    run(digits_bundle, tmp_path / "warm", "--n", 1, "--renode")
    began_s = time.monotonic()
    on_renode = run(
        digits_bundle, tmp_path / "renode", "--n", SAMPLES, "--renode", "--renode-path", renode.program
    )
    wall_s = time.monotonic() - began_s
    on_twin = run(digits_bundle, tmp_path / "twin", "--n", SAMPLES)
    assert on_renode["host_agreement"] == 1.0
    assert on_renode["retransmissions"] == 0
    assert predictions(tmp_path / "renode") == predictions(tmp_path / "twin")
    assert on_renode["accuracy"] == on_twin["accuracy"]
    assert wall_s <= LIMIT_S


def test_a_seed_gives_the_same_counts(renode: Renode, digits_bundle: Path, tmp_path: Path) -> None:
    one, other = (
        run(digits_bundle, tmp_path / name, "--n", 5, "--seed", 3, "--renode") for name in ("one", "other")
    )
    assert one["cycles"] == other["cycles"]
    assert predictions(tmp_path / "one") == predictions(tmp_path / "other")
