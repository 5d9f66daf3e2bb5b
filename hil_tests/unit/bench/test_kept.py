"""Rows are kept per bundle, settings and code, and a damaged one is as good as none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hil import bundle
from hil.bench import kept
from hil.bundle import Bundle, InputFormat, Manifest
from hil.errors import BundleError
from hil_tests.unit.bench.rows import row

MANIFEST = Manifest("agilenn", "digits", 10, 0, InputFormat(24, 24, 1, 3, (0.3,), (0.4,)), None, 0.5, {})


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HIL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def saved(path: Path, manifest: Manifest = MANIFEST) -> Path:
    bundle.save(Bundle(manifest, {"record.predictions": np.zeros(10, np.int64)}), path)
    return path


def test_a_row_is_found_again_until_it_is_damaged(cache: Path) -> None:
    assert kept.load("a") is None
    kept.save("a", row())
    assert kept.load("a") == row()
    assert kept.load("b") is None
    (file,) = cache.rglob("*.json")
    for damage in ("", "{}", "[1]", file.read_text().replace('"seed"', '"sown"')):
        file.write_text(damage)
        assert kept.load("a") is None


def test_the_name_follows_bundle_settings_and_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = saved(tmp_path / "one.safetensors")
    same = saved(tmp_path / "same.safetensors")
    other = saved(tmp_path / "other.safetensors", replace(MANIFEST, seed=1))
    before = kept.key(one, 0, 1000)
    assert kept.key(same, 0, 1000) == before
    assert len({before, kept.key(one, 0, 10), kept.key(one, 1, 1000), kept.key(other, 0, 1000)}) == 4
    monkeypatch.setattr(kept, "source_hash", lambda *folders: "another")
    assert kept.key(one, 0, 1000) != before


def test_a_file_that_is_no_bundle_has_no_name(tmp_path: Path) -> None:
    (tmp_path / "b.safetensors").write_bytes(b"x" * 100)
    with pytest.raises(BundleError):
        kept.key(tmp_path / "b.safetensors")
