"""A run folder as a report needs it; what is missing or damaged is left out, with a word about it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hil.documents import json_of
from hil.errors import HilError
from hil.report.replay import read_events
from hil.report.stored import FILE, read_summary
from hil.session.events import SampleFinished, SampleRecord
from hil.session.summary import OUTCOMES

if TYPE_CHECKING:
    from hil.deploy.plan import Plan

MEMORY: Final = "artefacts/memory.json"


@dataclass(frozen=True)
class RunData:
    """What is known of one run."""

    name: str
    """The folder's."""
    summary: Mapping[str, Any]
    records: tuple[SampleRecord, ...] = ()
    plan: Plan | None = None
    steps: tuple[str, ...] = ()
    """Names of the plan's steps but the last three: quantise, encode, send."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """By what is missing (`samples`, `memory`): why."""


def find_run(path: Path) -> Path:
    """`path` itself, or the latest run in it where it is a folder of run folders."""
    if path.is_dir() and not (path / FILE).is_file():
        inner = sorted(file.parent for file in path.glob(f"*/{FILE}"))
        return inner[-1] if inner else path
    return path


def read_run(path: Path) -> RunData:
    """The run at `path`: its folder, its summary.json, or a folder whose latest run is meant.

    Raises UsageError where there is no summary that this hil understands.
    """
    path = find_run(path)
    summary = read_summary(path, allow_partial=True)
    folder = path if path.is_dir() else path.parent
    missing: dict[str, str] = {}
    records, why = _records(folder)
    if why:
        missing["samples"] = why
    plan, steps, why = _plan(folder / MEMORY)
    if why:
        missing["memory"] = why
    return RunData(folder.resolve().name, summary, records, plan, steps, missing)


def _records(folder: Path) -> tuple[tuple[SampleRecord, ...], str]:
    """Every sample up to where the events can be read."""
    found: list[SampleRecord] = []
    if not (folder / "events.jsonl").is_file():
        return (), "the run's events.jsonl is not there"
    why = ""
    try:
        for _, event in read_events(folder):
            if isinstance(event, SampleFinished):
                found.append(event.record)
    except (HilError, AttributeError) as error:
        why = f"events.jsonl can be read up to sample {len(found)} only: {error}"
    sound = tuple(record for record in found if _is_sound(record))
    if odd := len(found) - len(sound):
        why = f"{odd} samples of events.jsonl are no samples and were left out"
    return sound, why or ("" if sound else "no sample ended")


def _is_sound(record: SampleRecord) -> bool:
    """Whether what is drawn of a record has its type: the file may be anybody's."""
    whole = (record.index, record.sample, record.label, record.payload_bytes)
    optional = (record.prediction, record.float_prediction)
    parts = [part for part in (record.latency_ms, record.energy_mj) if part is not None]
    return (
        record.outcome in OUTCOMES
        and all(_is_count(value) for value in whole)
        and all(value is None or _is_count(value) for value in optional)
        and all(_is_real(value) for part in parts for value in astuple(part))
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53


def _is_real(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _plan(path: Path) -> tuple[Plan | None, tuple[str, ...], str]:
    from hil.deploy.store import unpack_plan

    if not path.is_file():
        return None, (), f"the run folder has no {MEMORY}"
    try:
        document = json_of(path.read_text(encoding="utf-8"))
        plan, steps = unpack_plan(document), tuple(map(str, document["layers"]))
        counts = [value for buffer in plan.buffers for value in (buffer.size, buffer.first, buffer.last)]
        for arena in plan.arenas.values():
            counts += [arena.arena_bytes, arena.lower_bound, *arena.offsets.values()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return None, (), f"{MEMORY} cannot be read: {error}"
    if not all(_is_count(value) for value in counts):
        return None, (), f"{MEMORY} is no memory plan"
    return plan, steps, ""
