"""Bundles: what is read is what was written, and nothing else is accepted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hil import bundle as bundles
from hil.bundle import Bundle, InputFormat, Manifest, PayloadFormat
from hil.errors import BundleError

MANIFEST = Manifest(
    scheme="agilenn",
    dataset="digits",
    classes=10,
    seed=3,
    input=InputFormat(24, 24, 1, 3, (0.3,), (0.4,)),
    payload=PayloadFormat(5, 19, 8, 8, (0.0, 1.5, 3.0)),
    alpha=0.25,
    config={"rho": 0.8},
    metrics={"accuracy": 0.98},
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "bundle.safetensors"
    bundles.save(Bundle(MANIFEST, {"device.w": np.ones((2, 3), np.float32), "server.b": np.zeros(2)}), file)
    return file


def test_a_bundle_survives_the_disk(path: Path) -> None:
    bundle = bundles.load(path)
    assert bundle.manifest == MANIFEST
    assert bundles.read_manifest(path) == MANIFEST
    assert set(bundle.part("device")) == {"w"}


def test_a_bundle_without_payload_survives_too(path: Path) -> None:
    local_only = replace(MANIFEST, payload=None)
    bundles.save(Bundle(local_only, {}), path)
    assert bundles.load(path).manifest == local_only


def test_the_order_of_planes_leaves_no_trace_in_the_file(path: Path) -> None:
    assert b"planes" not in path.read_bytes()
    by_rows = replace(MANIFEST, payload=replace(MANIFEST.payload, order="rows"))
    bundles.save(Bundle(by_rows, {}), path)
    assert bundles.load(path).manifest == by_rows


def test_a_missing_bundle_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"nowhere\.safetensors"):
        bundles.load(tmp_path / "nowhere.safetensors")


def test_a_foreign_safetensors_file_is_refused(path: Path) -> None:
    safetensors.numpy.save_file({"w": np.zeros(3)}, path)
    with pytest.raises(BundleError, match="not a hil bundle"):
        bundles.load(path)


def test_another_schema_is_refused(path: Path) -> None:
    safetensors.numpy.save_file({}, path, metadata={"hil": '{"schema": 99}'})
    with pytest.raises(BundleError, match="schema 99"):
        bundles.load(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_cut_or_scribbled_bundle_is_refused_or_whole(path: Path, data: st.DataObject) -> None:
    whole = path.read_bytes()
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    damaged = path.with_name("damaged.safetensors")
    damaged.write_bytes(cut)
    with pytest.raises(BundleError):
        bundles.load(damaged)


def test_images_of_another_shape_are_refused() -> None:
    with pytest.raises(BundleError, match="another data set"):
        MANIFEST.input.prepare(np.zeros((1, 32, 32, 3), dtype=np.float32))


def test_inputs_are_upscaled_and_normalised() -> None:
    image = np.full((1, 8, 8, 1), 0.7, dtype=np.float32)
    prepared = MANIFEST.input.prepare(image)
    assert prepared.shape == (1, 24, 24, 1)
    np.testing.assert_allclose(prepared, 1.0, rtol=1e-6)
