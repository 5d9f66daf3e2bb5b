"""Faults injected into runs on a physical board end as they do on the twin."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hil.boards.options import STM32F746
from hil.boards.probe import ProbeBoard
from hil.faults.outcome import Outcome
from hil.faults.trial import Trial
from hil_tests.elsewhere import FAULTS

pytestmark = pytest.mark.hardware

CABLES = {"serial-unplugged:at=2,frame=run": {Outcome.RETRIED}, "probe-unplugged:at=2": {Outcome.FAILED}}


@pytest.mark.parametrize("order", [*FAULTS, *CABLES])
def test_a_fault_ends_as_it_may(board: ProbeBoard, faults: Callable[..., Trial], order: str) -> None:
    trial = faults(order, n=4, board=STM32F746)
    assert {struck.outcome for struck in trial.struck} == {**FAULTS, **CABLES}[order]
