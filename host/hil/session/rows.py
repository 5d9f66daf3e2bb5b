"""Events as JSON objects and records as CSV rows."""

from __future__ import annotations

from dataclasses import asdict, astuple, fields
from typing import Any

from hil.session.events import Event, RunFinished, RunStarted, SampleRecord
from hil.wire.to_host import StageCycles

_CYCLES = tuple(f"{field.name}_cycles" for field in fields(StageCycles))

COLUMNS = (
    "index", "sample", "label", "outcome", "reason", "prediction", "float_prediction", "correct", "agrees",
    "local_ms", "link_ms", "remote_ms", "fuse_ms", "total_ms", "overlap_ms", "cpu_mj", "radio_mj", "idle_mj",
    "peripherals_mj", "ipc",
    *_CYCLES,
    "payload_bytes", "prefix_channels", "unauthentic_replies", "wire_retransmissions",
    "radio_retransmissions", "stack_peak_bytes", "attempts",
)  # fmt: skip
"""Of `samples.csv`; what a sample does not have is empty."""


def record_row(record: SampleRecord) -> list[object]:
    """One row in the order of `COLUMNS`."""
    latency, energy, cycles = record.latency_ms, record.energy_mj, record.cycles
    return [
        record.index,
        record.sample,
        record.label,
        record.outcome,
        record.reason,
        _cell(record.prediction),
        _cell(record.float_prediction),
        _cell(record.correct),
        _cell(record.agrees),
        *(map(_cell, astuple(latency)) if latency else [""] * 6),
        *(map(_cell, astuple(energy)) if energy else [""] * 4),
        _cell(record.energy_detail.ipc) if record.energy_detail else "",
        *(astuple(cycles) if cycles else [""] * len(_CYCLES)),
        record.payload_bytes,
        record.prefix_channels,
        record.unauthentic_replies,
        record.wire_retransmissions,
        record.radio_retransmissions,
        record.stack_peak_bytes,
        record.attempts,
    ]


def event_object(event: Event, wall_s: float) -> dict[str, Any]:
    """`event` for `events.jsonl`, `wall_s` seconds after the run began.

    The run folder is named, not located, and the summary is left to `summary.json`.
    """
    content = asdict(event)
    if isinstance(event, RunStarted):
        content["folder"] = event.folder.name
    elif isinstance(event, RunFinished):
        del content["summary"]
    return {"t": round(wall_s, 6), "event": type(event).__name__, **content}


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return int(value)
    return round(value, 9) if isinstance(value, float) else value
