"""One server process under a number of emulated devices, each asking at its own random times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hil.experiments.measure import Context, Figure, Found, Measure, Settings
from hil.experiments.measures.bundles import bundle_inputs, bundle_of
from hil.measure.source import Source

DEFAULTS: Mapping[str, Any] = {"per_device_per_s": 2.0, "seconds": 5.0, "batch_max": 32, "delay_ms": 2.0}
"""What a load is unless its cell says otherwise."""

_TIMED = (
    "offered_per_s", "throughput_per_s", "share_of_bare", "p50_ms", "p99_ms", "server_ms", "cpu_ms",
    "memory_mb",
)  # fmt: skip
"""Figures that depend on this machine."""


def canonical(settings: Settings) -> Settings:
    """With the defaults."""
    return {**DEFAULTS, **settings}


def serve(settings: Settings, context: Context) -> Found:
    """Raises HilError where the server cannot be started, or leaves its devices alone."""
    from hil.bench import server as bench
    from hil.bench.serving.load import Load

    given = canonical(settings)
    devices = int(given["devices"])
    chosen = bench.Settings(
        devices=devices,
        batch_max=int(given["batch_max"]),
        delay_ms=float(given["delay_ms"]),
        data_dir=context.data_dir,
    )
    load = Load(devices, float(given["seconds"]), devices * float(given["per_device_per_s"]))
    with bench.running(bundle_of(given), chosen) as running:
        point = running.point(load)
    figures: dict[str, Figure] = {
        "offered_per_s": point.offered_per_s,
        "throughput_per_s": point.throughput_per_s,
        "share_of_bare": point.share_of_bare,
        "p50_ms": point.p50_ms,
        "p99_ms": point.p99_ms,
        "server_ms": point.server_ms,
        "cpu_ms": point.cpu_ms,
        "batch_mean": point.batch_mean,
        "answered": point.answered,
        "busy": point.busy,
        "lost": point.lost,
        "memory_mb": point.memory_mb,
    }
    return Found(figures, dict.fromkeys(_TIMED, Source.MEASURED_HOST.value))


SERVE = Measure(
    "serve",
    serve,
    ("bench", "codec", "deploy", "schemes", "server"),
    bundle_inputs,
    canonical,
    alone=True,
)
"""Settings: `scheme`, `dataset`, `devices`, and those of DEFAULTS."""
