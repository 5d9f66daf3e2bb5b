"""Faults of the link, injected into runs on the twin: each ends as it is meant to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hil.faults.kind import Layer
from hil.faults.outcome import NEVER, Outcome
from hil.faults.registry import KINDS
from hil.faults.trial import Trial
from hil_tests.twin import firmware
from hil_tests.twin.judged import ends

pytestmark = [
    pytest.mark.twin,
    pytest.mark.skipif(not firmware.have_compiler(), reason=f"{firmware.GCC} is not on PATH"),
]

Faults = Callable[..., Trial]

ON_THE_WIRE = [kind.name for kind in KINDS.values() if kind.layer is Layer.LINK and not kind.own_server]


@pytest.mark.parametrize("kind", ON_THE_WIRE)
def test_every_fault_of_the_wire_ends_as_it_is_meant_to(faults: Faults, kind: str) -> None:
    ends(faults(f"{kind}:rate=0.7", n=12), kind)


def test_a_lost_frame_is_repeated_and_its_sample_answered(faults: Faults) -> None:
    trial = faults("frame-loss:rate=0.7,frame=input", scheme="spinn")
    assert ends(trial, "frame-loss") == {Outcome.RETRIED}
    assert trial.summary["valid"]
    injected = trial.summary["faults"]["injected"]["frame-loss"]
    assert trial.summary["faults"]["outcomes"]["frame-loss"] == {"retried": injected}


def test_an_outage_beyond_the_deadline_is_answered_by_the_local_half_in_time(faults: Faults) -> None:
    trial = faults("link-outage:at=2+5,seconds=0.6,frame=payload", deadline_ms=300.0)
    assert ends(trial, "link-outage") == {Outcome.FALLBACK}


def test_frames_that_come_again_after_others_change_nothing(faults: Faults) -> None:
    trial = faults("frame-duplicate:rate=0.9,after=3", n=12)
    assert ends(trial, "frame-duplicate") == {Outcome.ANSWERED}
    assert trial.issues == set()


def test_an_input_altered_in_memory_is_found_by_the_device_s_own_crc_of_it(faults: Faults) -> None:
    trial = faults("bit-error-before-crc:at=1+3,frame=input,bits=40", scheme="mcunet")
    assert ends(trial, "bit-error-before-crc") <= {Outcome.RETRIED, Outcome.FAILED}
    assert "disagreement" not in trial.issues, "found before anything was compared with a reference"


@pytest.mark.parametrize("kind", ON_THE_WIRE)
def test_a_reset_behind_a_bad_wire_ends_as_it_would_alone(faults: Faults, kind: str) -> None:
    trial = faults("brown-out:rate=0.4", f"{kind}:rate=0.6", n=10)
    assert not trial.error
    assert not trial.wrong
    assert {struck.outcome for struck in trial.struck} <= KINDS["brown-out"].expected - NEVER


@pytest.mark.parametrize(("after", "seed"), [(5, 4), (8, 2)])
def test_late_frames_of_a_conversation_that_a_reset_ended_change_nothing(
    faults: Faults, after: int, seed: int
) -> None:
    trial = faults("brown-out:rate=0.4", f"frame-duplicate:rate=0.9,after={after}", n=30, seed=seed)
    assert not trial.error
    assert trial.outcomes("brown-out").keys() == {Outcome.RETRIED}
    assert trial.outcomes("frame-duplicate").keys() <= {Outcome.ANSWERED, Outcome.RETRIED}
    assert trial.summary["board_s"] < 2.0, "nobody waited for a result that never comes"
