"""Faults of the device, injected into runs on the twin: each ends as it is meant to, and none in silence."""

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


def ends(trial: Trial, kind: str) -> list[Outcome]:
    """The outcomes of `kind`, all of which are among those it may have."""
    found = list(trial.outcomes(kind).elements())
    assert not trial.error
    assert found, f"{kind} never took place"
    assert set(found) <= registry.get(kind).expected - NEVER, trial.struck
    return found


@pytest.mark.parametrize("ram", ["kept", "lost"])
def test_a_brown_out_costs_a_second_try(faults: Faults, ram: str) -> None:
    trial = faults(f"brown-out:at=3,ram={ram}", n=5)
    assert ends(trial, "brown-out") == [Outcome.RETRIED]
    assert "device-lost" in trial.issues
    assert trial.summary["board_s"] < 1.0, "nobody waited for a result that never comes"
    assert trial.summary["host_agreement"] == 1.0


def test_a_core_that_hangs_is_reset_by_its_watchdog(faults: Faults) -> None:
    trial = faults("watchdog:at=2+4", n=6)
    assert ends(trial, "watchdog") == [Outcome.RETRIED] * 2
    assert "device-lost" in trial.issues
    assert trial.summary["host_agreement"] == 1.0


@pytest.mark.parametrize("gives", ["repeat", "constant"])
def test_a_stuck_sensor_is_found_and_what_it_gives_is_not_answered(faults: Faults, gives: str) -> None:
    trial = faults(f"stuck-sensor:at=2-4,gives={gives}")
    assert ends(trial, "stuck-sensor") == [Outcome.FAILED] * 3
    assert all("the sensor" in struck.reason for struck in trial.struck)
    assert {"sensor-stuck", "failed-samples"} <= trial.issues
    assert trial.summary["valid"] is False
    assert trial.summary["outcomes"]["answered"] == 5


def test_flipped_bits_in_the_arenas_are_seen_or_harmless(faults: Faults) -> None:
    trial = faults("arena-bit-flip:rate=0.9,bits=64", n=20)
    found = ends(trial, "arena-bit-flip")
    assert Outcome.FAILED in found, "so many bits do not all hit what nobody reads"


@pytest.mark.parametrize("where", ["weights", "any"])
def test_flipped_bits_in_flash_do_not_go_unseen(faults: Faults, where: str) -> None:
    trial = faults(f"weight-bit-flip:at=3,bits=64,where={where}", n=8)
    ends(trial, "weight-bit-flip")
    assert {"firmware-damaged", "disagreement", "failed-samples", "device-lost"} & trial.issues
    assert trial.summary["valid"] is False


def test_flash_that_was_misread_is_as_it_was_afterwards(faults: Faults) -> None:
    trial = faults("flash-read-error:at=1-4,bits=64,instructions=500000", n=8)
    ends(trial, "flash-read-error")
    assert trial.summary["valid"] is False
    after = [record for record in trial.records if record.index > 4]
    assert [(record.outcome, record.agrees) for record in after] == [("answered", True)] * 3
