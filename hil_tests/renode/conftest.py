"""A real Renode, where there is one."""

from __future__ import annotations

import pytest

from hil.errors import BoardError
from hil.renode.find import Renode, find_renode
from hil_tests.twin import firmware


@pytest.fixture(scope="session")
def renode() -> Renode:
    """The Renode that `hil run --renode` would take; skips with the reason where there is none."""
    if not firmware.have_compiler():
        pytest.skip(f"{firmware.GCC} is not on PATH")
    try:
        return find_renode()
    except BoardError as error:
        pytest.skip(f"{error.message}: {error.hint}")
