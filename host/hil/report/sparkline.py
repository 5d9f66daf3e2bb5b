"""A row of bars that fits a given number of columns."""

from __future__ import annotations

from collections.abc import Sequence

from hil.report.glyphs import SPARKS


def sparkline(values: Sequence[float], width: int) -> str:
    """The latest `width` of `values`, from the lowest bar for the least to the highest for the most.

    Values that are all alike are drawn low: a steady figure is no peak.
    """
    if width <= 0 or not values:
        return ""
    shown = values[-width:]
    low, high = min(shown), max(shown)
    if high <= low:
        return SPARKS[0] * len(shown)
    step = (len(SPARKS) - 1) / (high - low)
    return "".join(SPARKS[round((value - low) * step)] for value in shown)
