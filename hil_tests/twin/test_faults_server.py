"""Faults of the server half, a process of its own, injected into runs on the twin."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hil.faults.outcome import Outcome
from hil.faults.registry import KINDS
from hil.faults.trial import Trial
from hil_tests.twin import firmware
from hil_tests.twin.judged import ends

pytestmark = [
    pytest.mark.twin,
    pytest.mark.skipif(not firmware.have_compiler(), reason=f"{firmware.GCC} is not on PATH"),
]

Faults = Callable[..., Trial]

SETTINGS = {"server_ms": None, "deadline_ms": 3000.0, "request_timeout_s": 4.0}
"""The server half's own time counts: on however busy a machine it answers within three seconds."""


def test_every_fault_of_the_server_half_in_one_run(faults: Faults) -> None:
    """The crash comes last: the successor takes some seconds to load, and samples fall back meanwhile.

    Forged and replayed replies are for a device that takes authentic ones only, so this one does.
    """
    orders = (
        "server-slow:at=1,ms=3500", "wrong-answer-length:at=3,how=many", "wrong-answer-length:at=4,how=long",
        "forged-reply:at=5", "half-open:at=6", "server-hang:at=8", "replayed-reply:at=10",
        "server-swap:at=12", "server-crash:at=14",
    )  # fmt: skip
    assert {order.partition(":")[0] for order in orders} == {
        kind.name for kind in KINDS.values() if kind.own_server
    }
    trial = faults(*orders, n=18, **SETTINGS)
    for kind in {order.partition(":")[0] for order in orders} - {"wrong-answer-length"}:
        assert ends(trial, kind) == {Outcome.FALLBACK}, kind
    assert ends(trial, "wrong-answer-length") <= {Outcome.FALLBACK, Outcome.ANSWERED}
    reasons = {struck.kind: struck.reason for struck in trial.struck}
    assert reasons["forged-reply"] == "unauthentic"
    assert {"server-lost", "server-length", "server-back"} <= trial.issues
    assert trial.summary["host_agreement"] == 1.0
    untouched = [record for record in trial.records if record.index in (0, 2, 9)]
    assert [record.outcome for record in untouched] == ["answered"] * 3


def test_a_scheme_without_a_local_answer_fails_with_the_reason(faults: Faults) -> None:
    trial = faults("half-open:at=1", scheme="edge_only", n=4, **SETTINGS)
    (struck,) = trial.struck
    assert struck.outcome is Outcome.FAILED
    assert "did not answer in time" in struck.reason
    assert trial.summary["outcomes"]["answered"] == 3
