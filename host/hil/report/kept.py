"""What can be read of a run's events, however the run ended."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from hil.errors import HilError
from hil.report.replay import read_events, torn_bytes
from hil.session.events import Event, SampleFinished, SampleRecord
from hil.session.summary import OUTCOMES


@dataclass(frozen=True)
class Kept:
    """Events in their order, up to where they can be read."""

    events: tuple[tuple[float, Event], ...] = ()
    """Seconds since the run began, and the event."""
    damage: str = ""
    """Why they end; empty where all of them can be read."""
    torn: int = 0
    """Bytes of a last line that was never finished, and is left out."""

    @property
    def records(self) -> tuple[SampleRecord, ...]:
        """The samples among them, sound or not."""
        return tuple(event.record for _, event in self.events if isinstance(event, SampleFinished))


def kept_events(folder: Path) -> Kept:
    """All of `folder`'s events.jsonl that can be read; raises nothing."""
    found: list[tuple[float, Event]] = []
    if not (folder / "events.jsonl").is_file():
        return Kept((), "the run's events.jsonl is not there")
    try:
        found.extend(read_events(folder))
    except (HilError, AttributeError) as error:
        samples = sum(isinstance(event, SampleFinished) for _, event in found)
        return Kept(tuple(found), f"events.jsonl can be read up to sample {samples} only: {error}")
    return Kept(tuple(found), torn=torn_bytes(folder))


def sound_records(kept: Kept) -> tuple[tuple[SampleRecord, ...], str]:
    """Every sample that is one, and a word about those that are not."""
    found = kept.records
    sound = tuple(record for record in found if _is_sound(record))
    why = kept.damage or ("the last line of events.jsonl is torn and was left out" if kept.torn else "")
    if odd := len(found) - len(sound):
        why = f"{odd} samples of events.jsonl are no samples and were left out"
    return sound, why or ("" if sound else "no sample ended")


def _is_sound(record: SampleRecord) -> bool:
    """Whether what is drawn of a record has its type: the file may be anybody's."""
    whole: Sequence[object] = (
        record.index,
        record.sample,
        record.label,
        record.payload_bytes,
        record.wire_retransmissions,
        record.radio_retransmissions,
        record.stack_peak_bytes,
    )
    optional = (record.prediction, record.float_prediction)
    parts = [part for part in (record.latency_ms, record.energy_mj) if part is not None]
    return (
        record.outcome in OUTCOMES
        and all(is_count(value) for value in whole)
        and all(value is None or is_count(value) for value in optional)
        and all(_is_real(value) for part in parts for value in astuple(part))
    )


def is_count(value: object) -> bool:
    """A whole number that JSON carries exactly, not negative."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53


def _is_real(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
