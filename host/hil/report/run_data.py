"""A run folder as a report needs it; what is missing or damaged is left out, with a word about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hil.documents import json_of
from hil.report.kept import is_count, kept_events, sound_records
from hil.report.stored import is_run, read_summary, runs_in
from hil.session.events import SampleRecord

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
    if path.is_dir() and not is_run(path):
        inner = runs_in(path)
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
    records, why = sound_records(kept_events(folder))
    if why:
        missing["samples"] = why
    plan, steps, why = _plan(folder / MEMORY)
    if why:
        missing["memory"] = why
    return RunData(folder.resolve().name, summary, records, plan, steps, missing)


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
    if not all(is_count(value) for value in counts):
        return None, (), f"{MEMORY} is no memory plan"
    return plan, steps, ""
