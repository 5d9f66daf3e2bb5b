"""The summary of a run that was killed before it could write one: from its events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hil.errors import UsageError
from hil.faults.outcome import faults_entry
from hil.report.kept import Kept, kept_events, sound_records
from hil.session.bus import Issue
from hil.session.events import FaultInjected, RunStarted, SampleFinished, SampleRecord, ServerLost, Warned
from hil.session.summary import SCHEMA, RunData, fill

KILLED = "it was killed before it could close its folder"


def rebuilt(folder: Path, first: Mapping[str, Any] | None) -> dict[str, Any]:
    """The summary of the run in `folder`; `first` is the one it wrote at its start, None where that is lost.

    Always partial. The cycles of layers are in no event, and null. Raises UsageError where there is
    nothing to put together.
    """
    kept = kept_events(folder)
    form = first or _form(kept)
    if form is None:
        raise UsageError(f"{folder} has neither a summary nor the begin of a run", "run it again")
    records, _ = sound_records(kept)
    try:
        faults = _faults(kept, records, float(form["deadline_ms"] or "inf"))
        return fill(form, RunData(records, (), _issues(kept), _seconds(kept), KILLED, faults))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{folder} is damaged: {error!r}", "run it again") from None


def _form(kept: Kept) -> dict[str, Any] | None:
    """What the first summary held, as far as the run's begin tells it."""
    started = next((event for _, event in kept.events if isinstance(event, RunStarted)), None)
    if started is None:
        return None
    place = "latency."
    parts = {
        name.removeprefix(place): source for name, source in started.sources.items() if name.startswith(place)
    }
    memory = asdict(started.memory)
    return {
        "schema": SCHEMA,
        **{name: getattr(started, name) for name in ("scheme", "dataset", "board", "radio")},
        "samples_asked": started.samples,
        "latency_ms": {"source": parts.get("total"), "sources": parts},
        "cycles": {"per_layer": [], "source": started.sources.get("cycles")},
        "integrity": {"source": parts.get("total")},
        "memory": {
            **{name: memory[name] for name in ("flash_bytes", "ram_static_bytes", "arena_bytes")},
            "stack_reserved_bytes": started.memory.stack_bytes,
            "flash_limit_bytes": started.memory.flash_limit,
            "ram_limit_bytes": started.memory.ram_limit,
        },
        "authentication": {"replies": None, "source": parts.get("total")},
        "payload_bytes": {"raw": started.payload_raw_bytes},
        **dict.fromkeys(("board_s", "deadline_ms", "clock_hz", "seed")),
        "provenance": {},
    }


def _issues(kept: Kept) -> list[Issue]:
    """Those of the run, and what was lost of it."""
    found = []
    for _, event in kept.events:
        if isinstance(event, Warned):
            found.append(Issue(str(event.code), str(event.message), str(event.hint)))
        elif isinstance(event, ServerLost):
            found.append(Issue("server-lost", str(event.reason), "samples without a reply fell back"))
    if kept.torn:
        message = f"the last line of events.jsonl is torn: {kept.torn} bytes were left out"
        found.append(Issue("torn-file", message, "the run ended in the middle of writing it"))
    if kept.damage:
        found.append(Issue("damaged-file", kept.damage, "what comes before is shown"))
    return found


def _faults(kept: Kept, records: Sequence[SampleRecord], deadline_ms: float) -> dict[str, Any] | None:
    """What had been injected, and how the samples that it hit ended; None where nothing had been."""
    hit = {(event.kind, event.sample) for _, event in kept.events if isinstance(event, FaultInjected)}
    return faults_entry(hit, records, deadline_ms) if hit else None


def _seconds(kept: Kept) -> float:
    """From the run's begin to its last sample, on the host's clock."""
    begins = [time_s for time_s, event in kept.events if isinstance(event, RunStarted)]
    ends = [time_s for time_s, event in kept.events if isinstance(event, SampleFinished)]
    return float(ends[-1] - begins[0]) if begins and ends else 0.0
