"""Faults of the link, injected into runs on the twin: each ends as it is meant to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hil.faults import registry
from hil.faults.outcome import NEVER, Outcome
from hil.faults.trial import Trial
from hil_tests.twin import firmware

pytestmark = [
    pytest.mark.twin,
    pytest.mark.skipif(not firmware.have_compiler(), reason=f"{firmware.GCC} is not on PATH"),
]

Faults = Callable[..., Trial]


def ends(trial: Trial, kind: str) -> set[Outcome]:
    """The outcomes of `kind`, all of which are among those it may have."""
    found = set(trial.outcomes(kind))
    assert not trial.error
    assert found, f"{kind} never took place"
    assert found <= registry.get(kind).expected - NEVER, trial.struck
    return found


def test_a_lost_frame_is_repeated_and_its_sample_answered(faults: Faults) -> None:
    trial = faults("frame-loss:rate=0.7,frame=input")
    assert ends(trial, "frame-loss") == {Outcome.RETRIED}
    assert trial.summary["valid"]
    assert trial.summary["faults"]["outcomes"]["frame-loss"] == {
        "retried": trial.summary["faults"]["injected"]["frame-loss"]
    }
