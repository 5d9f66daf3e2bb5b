"""The compiled harness, once a session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hil_tests.unit.mcu.harness import Harness, build, host_compiler


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if host_compiler() is None:
        pytest.skip("no C compiler for this machine")
    return build(tmp_path_factory.mktemp("harness"))


@pytest.fixture(scope="module")
def firmware(program: Path) -> Iterator[Harness]:
    """A process that the tests of one file share: for code without state."""
    with Harness(program) as harness:
        yield harness


@pytest.fixture
def fresh(program: Path) -> Iterator[Harness]:
    """A process of its own: for code with state."""
    with Harness(program) as harness:
        yield harness
