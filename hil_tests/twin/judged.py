"""What tests of injected faults ask of a trial."""

from __future__ import annotations

from hil.faults import registry
from hil.faults.outcome import NEVER, Outcome
from hil.faults.trial import Trial


def ends(trial: Trial, kind: str) -> set[Outcome]:
    """The outcomes of `kind`, which took place, and whose outcomes are all among those it may have."""
    found = set(trial.outcomes(kind))
    assert not trial.error
    assert not trial.wrong
    assert found, f"{kind} never took place"
    assert found <= registry.get(kind).expected - NEVER, trial.struck
    return found
