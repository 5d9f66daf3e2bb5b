"""A run with every codec: the device packs, the wire carries, the server half unpacks."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hil import bundle as bundles
from hil.codec.tables import make_tables
from hil_tests.twin import firmware

pytestmark = [pytest.mark.twin, pytest.mark.slow]


def packed_with(bundle: Path, codec: str, target: Path) -> Path:
    """The same network behind another codec; each symbol half as likely as the one before."""
    opened = bundles.load(bundle)
    payload = opened.manifest.payload
    assert payload is not None
    counts = np.tile(1 << np.arange(40, 40 - len(payload.centroids), -1), (payload.channels, 1))
    tables = {f"codec.{name}": table for name, table in make_tables(codec, counts).items()}
    manifest = replace(opened.manifest, payload=replace(payload, codec=codec))
    bundles.save(bundles.Bundle(manifest, opened.tensors | tables), target)
    return target


@pytest.mark.parametrize("codec", ["none", "range", "huffman", "lz4"])
def test_every_codec_answers_as_the_host_does(digits_bundle: Path, tmp_path: Path, codec: str) -> None:
    if not firmware.have_compiler():
        pytest.skip(f"{firmware.GCC} is not on PATH")
    bundle = packed_with(digits_bundle, codec, tmp_path / "bundle.safetensors")
    command = [sys.executable, "-m", "hil", "run", "--bundle", str(bundle), "--out", str(tmp_path / "runs")]
    command += ["--json", "--n", "6", "--server-ms", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["valid"], summary["issues"]
    assert summary["host_agreement"] == 1.0
    assert summary["outcomes"]["answered"] == 6
    assert summary["payload_bytes"]["mean"] > 0
