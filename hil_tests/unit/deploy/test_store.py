"""A deployment read back from disk is the one that was written."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hil_tests import graphs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hil import bundle as bundles
from hil.bundle import Bundle, InputFormat, Manifest, PayloadFormat
from hil.deploy import store
from hil.deploy.deployment import Deployment, ExitRule, Footprint, Fusion, KernelChoice, Layer
from hil.deploy.lower import plain
from hil.deploy.plan import plan_program
from hil.deploy.program import DeviceHalf
from hil.errors import BundleError

MANIFEST = Manifest(
    scheme="agilenn",
    dataset="digits",
    classes=10,
    seed=0,
    input=InputFormat(24, 24, 1, 3, (0.3,), (0.4,)),
    payload=PayloadFormat(5, 19, 8, 8, (0.0, 1.5, 3.0)),
    alpha=0.4,
    config={"epochs": 1},
)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return bool(one.dtype == other.dtype and (one == other).all())
    if is_dataclass(one):
        return type(one) is type(other) and all(
            _same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one)
        )
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _deployment(folder: Path, case: graphs.Case) -> Deployment:
    path = folder / "bundle.safetensors"
    bundles.save(Bundle(MANIFEST, {"record.predictions": np.arange(3)}), path)
    return Deployment(
        folder=folder,
        elf=folder / "hil.elf",
        bundle=path,
        bundle_hash=bundles.digest(path),
        manifest=MANIFEST,
        board="twin",
        clock_hz=216_000_000,
        kernels=KernelChoice.TUNED,
        graph=case.graph,
        symbol_of=np.arange(256, dtype=np.uint8),
        fusion=Fusion(1, -2, 3),
        exit=ExitRule(np.arange(256, dtype=np.uint32), 2**32 - 1),
        codec_tables={"frequencies": np.arange(6, dtype=np.uint16).reshape(2, 3)},
        layers=(Layer("conv", "arm_convolve_wrapper_s8", 12),),
        memory=plan_program(plain(DeviceHalf(case.graph)), dtcm_bytes=100),
        footprint=Footprint(1, 2, 3, 4),
    )


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.one_of(*graphs.OPERATORS.values()))
def test_a_deployment_survives_the_disk(tmp_path: Path, case: graphs.Case) -> None:
    written = _deployment(tmp_path, case)
    for kept in (written, replace(written, exit=None)):
        store.save(kept)
        assert _same(store.load(tmp_path, kept.bundle), kept)


def test_a_truncated_deployment_is_refused(tmp_path: Path) -> None:
    path = tmp_path / store.FILE
    path.write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    with pytest.raises(BundleError, match="is damaged"):
        store.load(tmp_path, tmp_path / "bundle.safetensors")
