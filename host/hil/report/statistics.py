"""Percentiles and shares of what the dashboard holds. Nothing here is written to a run folder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hil.report.state import Dashboard
from hil.session.events import EnergyParts, LatencyParts

LATENCY_PARTS: Final = ("local", "link", "remote", "fuse")
ENERGY_PARTS: Final = ("cpu", "radio", "idle", "peripherals")


@dataclass(frozen=True)
class Spread:
    """Mean, median and 95th percentile of one figure."""

    mean: float
    p50: float
    p95: float


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile: a value that occurred, also for few samples."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def spread(values: Sequence[float]) -> Spread | None:
    """None without values: a dash says more than a zero."""
    if not values:
        return None
    return Spread(sum(values) / len(values), percentile(values, 50), percentile(values, 95))


def latency_spreads(state: Dashboard) -> dict[str, Spread]:
    """`total` and each part, over the recent samples that were answered; empty when there are none."""
    parts = [record.latency_ms for record in state.recent if record.latency_ms is not None]
    return _spreads(parts, ("total", *LATENCY_PARTS))


def energy_spreads(state: Dashboard) -> dict[str, Spread]:
    """`total` and each part, over the recent samples whose energy is known."""
    parts = [record.energy_mj for record in state.recent if record.energy_mj is not None]
    return _spreads(parts, ("total", *ENERGY_PARTS))


def _spreads(parts: Sequence[LatencyParts | EnergyParts], names: Sequence[str]) -> dict[str, Spread]:
    spreads = {name: spread([getattr(part, name) for part in parts]) for name in names}
    return {name: value for name, value in spreads.items() if value is not None}


def ratio(part: int, whole: int) -> float | None:
    """None when nothing was counted."""
    return part / whole if whole else None


def rate_per_s(state: Dashboard, now_s: float) -> float | None:
    """Samples a second since the first one began."""
    elapsed_s = now_s - state.run_began_s
    return state.tally.samples / elapsed_s if state.tally.samples and elapsed_s > 0 else None


def eta_s(state: Dashboard, now_s: float) -> float | None:
    """Seconds until the last sample at the mean pace so far."""
    rate = rate_per_s(state, now_s)
    if rate is None or state.run is None:
        return None
    return max(0, state.run.samples - state.tally.samples) / rate
