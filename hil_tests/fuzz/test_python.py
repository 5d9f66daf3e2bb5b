"""The host's targets, each for HIL_FUZZ_SECONDS, by atheris or, where that is missing, by hypothesis."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil_tests.fuzz import campaign, python_target
from hil_tests.fuzz.conftest import assert_clean
from hil_tests.fuzz.target import CORPUS, PythonTarget
from hil_tests.fuzz.targets import PYTHON_TARGETS, TARGETS

pytestmark = pytest.mark.fuzz


@pytest.mark.parametrize("target", PYTHON_TARGETS, ids=lambda target: target.name)
def test_any_bytes_do_no_harm(target: PythonTarget, fuzz_seconds: float, tmp_path: Path) -> None:
    assert_clean(campaign.run(target, fuzz_seconds, tmp_path))


def test_a_harm_is_found_without_atheris(tmp_path: Path) -> None:
    def fragile(data: bytes) -> None:
        assert not data.endswith(b"!")

    (tmp_path / "sound").write_bytes(b"hil?")
    options = [f"-artifact_prefix={tmp_path}/", "-max_total_time=60", str(tmp_path)]
    assert python_target.by_hypothesis(fragile, options) == 1
    assert (tmp_path / "crash-by-hypothesis").read_bytes().endswith(b"!")


def test_the_corpora_are_small_and_belong_to_targets() -> None:
    kept = [file for file in CORPUS.rglob("*") if file.is_file()]
    assert {file.parent.name for file in kept} <= set(TARGETS)
    assert campaign.size(kept) < 300_000
