"""`hil bench accuracy` on the twin itself: a shipped bundle's row rests on a run that left its folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hil import bundle as bundles
from hil import data
from hil.bench.accuracy import Settings, measure
from hil.deploy.evaluate import evaluate_int8
from hil.session.samples import choose
from hil.zoo import shelf
from hil_tests.twin import firmware

pytestmark = pytest.mark.twin


def test_the_twins_part_of_a_row_is_what_its_run_folder_says(
    tmp_path: Path,
) -> None:
    if not firmware.have_compiler():
        pytest.skip(f"{firmware.GCC} is not on PATH")
    bundle = shelf.find("deepcod", "digits")
    assert bundle is not None
    settings = Settings(samples=12, twin_samples=12, radio="ble-270k", runs=tmp_path / "runs")
    row = measure(bundle, settings, lambda what, done, total: None, again=True)
    (file,) = (tmp_path / "runs").glob("*/summary.json")
    summary = json.loads(file.read_text())
    assert row.twin is not None
    assert (row.twin.samples, row.twin.radio) == (12, "ble-270k")
    assert row.twin.agreement == 1.0
    test = data.get("digits").load("test")
    drawn = choose(12, len(test), seed=0)
    host = evaluate_int8(bundles.load(bundle), test.images[drawn], test.labels[drawn])
    assert host.payload_bytes is not None
    assert row.twin.accuracy == summary["accuracy"] == host.accuracy
    assert summary["payload_bytes"]["mean"] == pytest.approx(host.payload_bytes.mean())
    assert row.twin.latency_ms == summary["latency_ms"]["mean"]
