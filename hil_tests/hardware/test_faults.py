"""Faults of link and server with a physical board: the same ends as on the twin."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hil.boards.probe import ProbeBoard
from hil.faults.registry import KINDS
from hil.faults.trial import Trial
from hil_tests.twin.judged import ends

pytestmark = pytest.mark.hardware

ANYWHERE = [kind.name for kind in KINDS.values() if kind.layer in ("link", "server") and not kind.boards]


@pytest.mark.parametrize("kind", ANYWHERE)
def test_every_fault_that_needs_no_twin(board: ProbeBoard, faults: Callable[..., Trial], kind: str) -> None:
    settings = {"server_ms": None, "request_timeout_s": 0.4} if KINDS[kind].own_server else {}
    ends(faults(f"{kind}:at=2+4", board="stm32f746", **settings), kind)
