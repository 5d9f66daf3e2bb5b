"""A run that never was, as events: what views are tested with."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType

from hil.report.state import Dashboard, update
from hil.session.events import (
    EnergyParts,
    Event,
    LatencyParts,
    MemoryUse,
    RunFinished,
    RunStarted,
    SampleFinished,
    SampleRecord,
    StageFinished,
    StageStarted,
)

SUMMARY: dict[str, Any] = {
    "schema": 1,
    "scheme": "agilenn",
    "dataset": "digits",
    "board": "twin",
    "radio": "wifi-6m",
    "samples": 20,
    "accuracy": 0.95,
    "host_agreement": 1.0,
    "latency_ms": {
        "mean": 10.5, "p50": 10.0, "p95": 14.0, "p99": 15.0,
        "local": 1.1, "link": 7.3, "remote": 1.9, "fuse": 0.02, "source": "twin_cycles",
    },
    "cycles": {"device_total": 237_123, "per_layer": [], "source": "twin_cycles"},
    "energy_mj": {"mean": 1.2, "cpu": 0.3, "radio": 0.4, "idle": 0.5, "source": "modelled"},
    "memory": {
        "flash_bytes": 183_456, "ram_static_bytes": 20_000, "arena_bytes": 88_000, "stack_peak_bytes": 2000,
    },
    "payload_bytes": {"mean": 950.0, "p95": 990.0, "raw": 2000},
    "retransmissions": 7,
    "fallbacks": 1,
    "valid": True,
    "issues": [{"code": "slow", "message": "the server was slow", "hint": "start it near"}],
}  # fmt: skip

STARTED = RunStarted(
    name="twin-agilenn-digits",
    folder=Path("/tmp/runs/twin-agilenn-digits"),
    scheme="agilenn",
    dataset="digits",
    board="twin",
    radio="wifi-6m",
    samples=20,
    classes=10,
    payload_raw_bytes=2000,
    memory=MemoryUse(183_456, 20_000, 88_000, 8192, 1 << 20, 320 << 10),
    sources={"latency.local": "twin_cycles", "latency.link": "modelled", "energy": "modelled"},
)


def sample(index: int, **changes: Any) -> SampleRecord:
    """Sample number `index`: right, answered in 10 ms, 900 bytes sent."""
    fields: dict[str, Any] = {
        "index": index,
        "sample": index,
        "label": index % 10,
        "outcome": "answered",
        "reason": "none",
        "prediction": index % 10,
        "float_prediction": index % 10,
        "latency_ms": LatencyParts(1.0, 6.0, 2.5, 0.5, 10.0),
        "energy_mj": EnergyParts(0.3, 0.4, 0.25, 0.05),
        "payload_bytes": 900,
        "agrees": True,
    }
    return SampleRecord(**{**fields, **changes})


def events(samples: int = 20, finished: bool = True) -> list[Event]:
    """A run's events up to so many samples."""
    feed: list[Event] = [
        StageStarted("train", "agilenn on digits"),
        StageFinished("train", 0.0, cached=True),
        StageStarted("build", "twin"),
        StageFinished("build", 3.2),
        STARTED,
        *(SampleFinished(sample(i)) for i in range(samples)),
    ]
    return [*feed, RunFinished(SUMMARY)] if finished else feed


def state_after(feed: list[Event], step_s: float = 0.1) -> Dashboard:
    """The dashboard after `feed`, an event every `step_s`."""
    state = Dashboard()
    for i, event in enumerate(feed):
        state = update(state, event, i * step_s)
    return state


def picture(renderable: RenderableType, width: int, height: int = 24) -> list[str]:
    """What a terminal of that size shows, line by line."""
    stream = io.StringIO()
    Console(file=stream, width=width, height=height, color_system=None).print(renderable)
    return stream.getvalue().rstrip("\n").split("\n")
