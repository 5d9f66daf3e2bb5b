"""A run folder's `events.jsonl` as events again, so that any view can show a run that is over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from hil.documents import json_of
from hil.errors import SessionError
from hil.report.state import Dashboard, update
from hil.session import events
from hil.session.events import (
    EnergyDetail,
    EnergyParts,
    Event,
    LatencyParts,
    MemoryUse,
    RunFinished,
    RunStarted,
    SampleFinished,
    SampleRecord,
)
from hil.session.timeline import Packet, Piece, Timeline
from hil.wire.to_host import StageCycles

_SIMPLE: Final = ("StageStarted", "StageProgress", "StageFinished", "ServerLost", "FaultInjected", "Warned")


def read_events(folder: Path) -> Iterator[tuple[float, Event]]:
    """Seconds since the run began, and the event. A last line that was never finished is left out.

    Raises SessionError when `folder` is no run folder, or where a line cannot be read.
    """
    try:
        for line in _lines(folder)[0]:
            fields = json_of(line)
            yield fields.pop("t"), _event(fields.pop("event"), fields, folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SessionError(f"{folder} holds no readable run: {error}", "name a run folder") from None


def torn_bytes(folder: Path) -> int:
    """How much of a last line there is that a killed run did not finish. Raises OSError."""
    return len(_lines(folder)[1])


def _lines(folder: Path) -> tuple[list[bytes], bytes]:
    """Whole lines, and what comes after the last line end."""
    *lines, rest = (folder / "events.jsonl").read_bytes().split(b"\n")
    return lines, rest


def state_at_end(folder: Path) -> tuple[Dashboard, float]:
    """The dashboard's state after the run's last event, and when that was."""
    state, now_s = Dashboard(), 0.0
    for now_s, event in read_events(folder):
        state = update(state, event, now_s)
    return state, now_s


def _event(name: str, fields: dict[str, Any], folder: Path) -> Event:
    if name in _SIMPLE:
        event: Event = getattr(events, name)(**fields)
        return event
    if name == "RunStarted":
        return RunStarted(**{**fields, "folder": folder, "memory": MemoryUse(**fields["memory"])})
    if name == "SampleFinished":
        return SampleFinished(_record(fields["record"]))
    if name == "RunFinished":
        return RunFinished(_summary(folder), fields["partial"])
    raise ValueError(f"unknown event {name!r}")


def _summary(folder: Path) -> dict[str, Any]:
    """Empty where the run was killed before it could write one."""
    try:
        summary: dict[str, Any] = json_of((folder / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return summary


def _record(fields: dict[str, Any]) -> SampleRecord:
    parts = {
        "latency_ms": LatencyParts, "energy_mj": EnergyParts, "energy_detail": EnergyDetail,
        "cycles": StageCycles,
    }  # fmt: skip
    built = {name: kind(**fields[name]) if fields.get(name) else None for name, kind in parts.items()}
    timeline = _timeline(fields["timeline"]) if fields.get("timeline") else None
    return SampleRecord(**{**fields, **built, "timeline": timeline})


def _timeline(fields: dict[str, Any]) -> Timeline:
    kinds = {"pieces": Piece, "uplink": Packet, "downlink": Packet}
    parts = {name: tuple(kind(**part) for part in fields[name]) for name, kind in kinds.items()}
    return Timeline(**{**fields, **parts})
