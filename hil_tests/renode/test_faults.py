"""Faults injected into runs on the real Renode end as they do on the twin."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hil.faults.trial import Trial
from hil.renode.find import Renode
from hil_tests.elsewhere import ANYWHERE, FAULTS, settings_of
from hil_tests.twin.judged import ends

pytestmark = [pytest.mark.renode, pytest.mark.slow]


@pytest.mark.parametrize("kind", ANYWHERE)
def test_every_fault_of_link_and_server_ends_as_its_kind_may(
    renode: Renode, faults: Callable[..., Trial], kind: str
) -> None:
    ends(faults(f"{kind}:at=2+4", board="renode", **settings_of(kind)), kind)


@pytest.mark.parametrize("order", FAULTS)
def test_a_fault_ends_as_it_should(renode: Renode, faults: Callable[..., Trial], order: str) -> None:
    trial = faults(order, n=4, board="renode")
    assert {struck.outcome for struck in trial.struck} == FAULTS[order]
