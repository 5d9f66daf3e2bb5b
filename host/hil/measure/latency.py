"""Latency: from the device's cycle counts to milliseconds, percentiles, and whether the parts add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hil.session.events import LatencyParts
from hil.wire.to_host import StageCycles

TOLERANCE = 0.01
"""The parts' sum may differ from the total, which is counted on its own, by this share."""


@dataclass(frozen=True)
class Percentiles:
    """Of a series, in its unit; all None when the series is empty."""

    mean: float | None
    p50: float | None
    p95: float | None
    p99: float | None


def percentiles(values: Sequence[float]) -> Percentiles:
    """Mean and linearly interpolated percentiles of `values`."""
    if not values:
        return Percentiles(None, None, None, None)
    p50, p95, p99 = (float(value) for value in np.percentile(values, [50, 95, 99]))
    return Percentiles(float(np.mean(values)), p50, p95, p99)


def latency_parts(cycles: StageCycles, clock_hz: int, remote_s: float) -> LatencyParts:
    """One inference in milliseconds. `remote_s` is the part of the wait spent in the server half.

    Everything else in the wait is the link; with no answer from the server the whole wait is. What of the
    exchange ran beside the device's own work is `overlap`, and in no other part.
    """
    to_ms = 1000.0 / clock_hz
    wait_ms = cycles.wait * to_ms
    remote_ms = min(remote_s * 1000.0, wait_ms)
    return LatencyParts(
        local=(cycles.graph + cycles.quantise + cycles.encode + cycles.frame) * to_ms,
        link=wait_ms - remote_ms,
        remote=remote_ms,
        fuse=cycles.fuse * to_ms,
        total=cycles.total * to_ms,
        overlap=cycles.overlap * to_ms,
    )


def unaccounted(parts: LatencyParts) -> float:
    """The share of the total by which the parts' sum differs from it; 0 for a total of 0."""
    total = parts.local + parts.link + parts.remote + parts.fuse
    if parts.total <= 0:
        return 0.0 if total <= 0 else 1.0
    return abs(total - parts.total) / parts.total
