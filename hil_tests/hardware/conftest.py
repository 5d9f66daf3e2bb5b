"""A board on the desk: the only probe, or the one in HIL_PROBE; tests skip where there is none.

They overwrite its flash, so a plain `pytest` takes no board that HIL_PROBE does not name.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hil.boards.options import BoardOptions
from hil.boards.probe import ProbeBoard
from hil.deploy.deployment import Deployment
from hil.errors import BoardError
from hil_tests.twin import firmware


@pytest.fixture(scope="session")
def board(pytestconfig: pytest.Config) -> ProbeBoard:
    """The prepared board."""
    if not os.environ.get("HIL_PROBE") and "hardware" not in pytestconfig.getoption("markexpr"):
        pytest.skip("boards are flashed with `-m hardware`, or when HIL_PROBE names a probe")
    made = ProbeBoard("stm32f746", BoardOptions())
    try:
        made.prepare()
    except BoardError as error:
        pytest.skip(f"no board: {error}")
    return made


@pytest.fixture(scope="session")
def deployment(board: ProbeBoard, digits_bundle: Path) -> Deployment:
    """The digits firmware for that board, at 216 MHz."""
    from hil.deploy.package import deploy

    if not firmware.have_compiler():
        pytest.skip(f"{firmware.GCC} is not on PATH")
    return deploy(digits_bundle, board.info, 216_000_000)
