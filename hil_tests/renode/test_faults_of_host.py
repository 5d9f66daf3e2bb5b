"""Faults injected into runs on the real Renode end as they do on the twin."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hil.faults.trial import Trial
from hil.renode.find import Renode
from hil_tests.elsewhere import FAULTS

pytestmark = [pytest.mark.renode, pytest.mark.slow]


@pytest.mark.parametrize("order", FAULTS)
def test_a_fault_ends_as_it_may(renode: Renode, faults: Callable[..., Trial], order: str) -> None:
    trial = faults(order, n=4, board="renode")
    assert {struck.outcome for struck in trial.struck} == FAULTS[order]
