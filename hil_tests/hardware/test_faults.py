"""Faults injected into runs on a physical board end as they do on the twin."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hil.boards.options import STM32F746
from hil.boards.probe import ProbeBoard
from hil.faults.outcome import Outcome
from hil.faults.trial import Trial
from hil_tests.elsewhere import ANYWHERE, FAULTS, settings_of
from hil_tests.twin.judged import ends

pytestmark = pytest.mark.hardware

CABLES = {"serial-unplugged:at=2,frame=run": {Outcome.RETRIED}, "probe-unplugged:at=2": {Outcome.FAILED}}


@pytest.mark.parametrize("kind", ANYWHERE)
def test_every_fault_of_link_and_server_ends_as_its_kind_may(
    board: ProbeBoard, faults: Callable[..., Trial], kind: str
) -> None:
    ends(faults(f"{kind}:at=2+4", board=STM32F746, **settings_of(kind)), kind)


@pytest.mark.parametrize("order", [*FAULTS, *CABLES])
def test_a_fault_ends_as_it_should(board: ProbeBoard, faults: Callable[..., Trial], order: str) -> None:
    trial = faults(order, n=4, board=STM32F746)
    assert {struck.outcome for struck in trial.struck} == {**FAULTS, **CABLES}[order]
