"""The firmware's targets, each for HIL_FUZZ_SECONDS; every input that was ever kept is tried first."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil_tests.fuzz.build import clang
from hil_tests.fuzz.c_targets import C_TARGETS
from hil_tests.fuzz.campaign import run
from hil_tests.fuzz.conftest import assert_clean
from hil_tests.fuzz.target import CTarget

pytestmark = pytest.mark.fuzz


@pytest.fixture(autouse=True)
def _needs_clang() -> None:
    if clang() is None:
        pytest.skip("no clang with libFuzzer: apt-get install clang libclang-rt-dev")


@pytest.mark.parametrize("target", C_TARGETS, ids=lambda target: target.name)
def test_any_bytes_do_no_harm(target: CTarget, fuzz_seconds: float, tmp_path: Path) -> None:
    assert_clean(run(target, fuzz_seconds, tmp_path))


def test_a_harm_is_found(tmp_path: Path) -> None:
    """A target with a byte too many behind four that have to be right."""
    planted = CTarget("planted", "", lambda: iter([b"hil?"]), harness=("planted.c",))
    done = run(planted, 60, tmp_path, seed_number=1)
    assert done.failed
    assert [finding.read_bytes()[:4] for finding in done.findings] == [b"hil!"]
    assert "heap-buffer-overflow" in done.words
