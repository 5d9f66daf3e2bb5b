"""How long a target runs, and what is asked of it."""

from __future__ import annotations

import os

import pytest

from hil_tests.fuzz.campaign import Campaign

AT_A_DESK_S, IN_CI_S = 5.0, 60.0


@pytest.fixture
def fuzz_seconds() -> float:
    """Of each target: HIL_FUZZ_SECONDS, or a minute in CI and a moment at a desk."""
    return float(os.environ.get("HIL_FUZZ_SECONDS") or (IN_CI_S if os.environ.get("CI") else AT_A_DESK_S))


def assert_clean(done: Campaign) -> None:
    """No finding, and it did try."""
    print(f"{done.target}: {done.executions} executions, {done.edges} edges, {done.cpu_s:.0f} s of CPU")
    assert not done.failed, f"{[finding.read_bytes() for finding in done.findings]}\n{done.words}"
    assert done.executions > 0
