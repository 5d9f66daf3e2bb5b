"""Summaries as a run on the twin writes them, with what a test wants different."""

from __future__ import annotations

import copy
from typing import Any

_DEVICE, _MODEL = "twin_instructions", "modelled"

_SUMMARY: dict[str, Any] = {
    "schema": 1,
    "scheme": "agilenn",
    "dataset": "digits",
    "board": "twin",
    "radio": "wifi-6m",
    "samples": 100,
    "samples_asked": 100,
    "outcomes": {"answered": 100, "fallback": 0, "local": 0, "failed": 0},
    "accuracy": 0.98,
    "float_accuracy": 0.99,
    "host_agreement": 1.0,
    "latency_ms": {
        "mean": 5.0, "p50": 5.0, "p95": 5.2, "p99": 5.3,
        "local": 0.6, "link": 2.385, "remote": 2.0, "fuse": 0.015,
        "source": _DEVICE,
        "sources": {"local": _DEVICE, "link": _MODEL, "remote": _MODEL, "fuse": _DEVICE, "total": _DEVICE},
    },
    "cycles": {
        "device_total": 1_080_000.0,
        "per_layer": [
            {"name": "stem.depthwise", "kernel": "conv", "cycles": 10_000.0, "macs": 576},
            {"name": "dense", "kernel": "dense", "cycles": 20_000.0, "macs": 50},
        ],
        "source": _DEVICE,
    },
    "energy_mj": {
        "mean": 1.6, "cpu": 0.2, "radio": 1.0, "idle": 0.35, "peripherals": 0.05, "source": _MODEL,
    },
    "memory": {
        "flash_bytes": 28_000, "ram_static_bytes": 15_800, "arena_bytes": 19_040, "stack_peak_bytes": 720,
    },
    "integrity": {
        "sound": True, "checks": 1, "covered_bytes": 27_000, "cycles": 240_000.0, "source": _DEVICE,
    },
    "authentication": {
        "replies": False, "nonce": None, "unauthentic": 0, "verify_cycles": None, "source": None,
    },
    "payload_bytes": {"mean": 96.8, "p95": 109.0, "raw": 456},
    "retransmissions": 0,
    "wire_retransmissions": 0,
    "radio_retransmissions": 0,
    "fallbacks": 0,
    "throughput": {"device_per_s": 200.0, "host_per_s": 40.0},
    "deadline_ms": 1000.0,
    "clock_hz": 216_000_000,
    "seed": 0,
    "partial": False,
    "valid": True,
    "issues": [],
    "provenance": {"bundle": {"file": "b.safetensors", "sha256": "ab" * 32}},
}  # fmt: skip


def summary(**changes: Any) -> dict[str, Any]:
    """A run on the twin. A change is named by its place, with `__` for the dots."""
    made = copy.deepcopy(_SUMMARY)
    for place, value in changes.items():
        *parents, name = place.split("__")
        inner = made
        for parent in parents:
            inner = inner[parent]
        inner[name] = value
    return made


def timed_by_the_host(**changes: Any) -> dict[str, Any]:
    """A run without --server-ms: the server's time is the host's."""
    return summary(**{"latency_ms__sources__remote": "measured_host", **changes})


def on_renode(**changes: Any) -> dict[str, Any]:
    """The same run, its time from Renode."""
    source = "renode_instructions"
    sources = {"local": source, "link": _MODEL, "remote": _MODEL, "fuse": source, "total": source}
    places = {"board": "renode", "cycles__source": source, "latency_ms__sources": sources}
    return summary(**{**places, **changes})
