"""Run folders as a run leaves them, made of records that never were measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hil import data
from hil.bundle import digest
from hil.deploy.memory.buffer import Buffer
from hil.deploy.plan import plan
from hil.deploy.store import pack_plan
from hil.session.events import LatencyParts, SampleFinished, SampleRecord
from hil.session.rows import event_object
from hil.zoo import shelf
from hil_tests.unit.report.feed import sample
from hil_tests.unit.report.summaries import summary
from hil_tests.unit.report.test_timeline import CYCLES, TIMELINE

BUNDLE = shelf.FOLDER / "agilenn-digits.safetensors"


def records(count: int = 12) -> list[SampleRecord]:
    """Of the digits: the second is wrong, the third the device answered alone, the fourth failed."""
    labels = data.get("digits").load("test").labels
    made = []
    for index in range(count):
        label = int(labels[index])
        fields: dict[str, Any] = {"label": label, "prediction": label, "float_prediction": label}
        fields |= {
            "cycles": CYCLES,
            "latency_ms": LatencyParts(1.0, 3.0 + 0.1 * index, 5.5, 0.5, 10 + 0.1 * index),
        }
        if index == 0:
            fields["timeline"] = TIMELINE
        if index == 1:
            fields["prediction"] = (label + 1) % 10
        if index == 2:
            fields |= {"outcome": "fallback", "reason": "deadline"}
        if index == 3:
            fields |= {
                "outcome": "failed",
                "prediction": None,
                "latency_ms": None,
                "energy_mj": None,
                "cycles": None,
            }
        made.append(sample(index, **fields))
    return made


def full_summary(**changes: Any) -> dict[str, Any]:
    """With every part that a page shows."""
    extra: dict[str, Any] = {
        "provenance": {
            "time_utc": "2026-01-02T03:04:05+00:00",
            "command": ["hil", "run", "--n", "12"],
            "bundle": {"file": BUNDLE.name, "sha256": digest(BUNDLE).hex()},
        },
        "energy_mj__by_state": {"run": 0.2, "sleep": 0.4, "radio_tx": 1.0},
        "energy_mj__by_stage": {"graph": 0.15, "encode": 0.05},
        "memory__stack_reserved_bytes": 1056,
        "memory__flash_limit_bytes": 1 << 20,
        "memory__ram_limit_bytes": 320 << 10,
    }
    return summary(**{**extra, **changes})


def write_run(
    folder: Path, summary: dict[str, Any] | None = None, found: Sequence[SampleRecord] | None = None
) -> Path:
    """A folder with summary, events and the memory plan."""
    (folder / "artefacts").mkdir(parents=True)
    (folder / "summary.json").write_text(json.dumps(summary or full_summary()))
    feed = [SampleFinished(record) for record in (records() if found is None else found)]
    lines = [json.dumps(event_object(event, 0.1)) + "\n" for event in feed]
    (folder / "events.jsonl").write_text("".join(lines))
    buffers = (Buffer("input", 576, 0, 0), Buffer("<map>", 1024, 0, 1), Buffer("payload", 96, 1, 4))
    memory = {"layers": ["stem.depthwise", "dense"], **pack_plan(plan(buffers))}
    (folder / "artefacts" / "memory.json").write_text(json.dumps(memory))
    return folder
