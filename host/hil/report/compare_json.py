"""A comparison as JSON-ready values, for a program."""

from __future__ import annotations

from typing import Any, Final

from hil.report.compare import Comparison, Delta
from hil.report.fields import finite

SCHEMA: Final = 1


def as_values(comparison: Comparison, a: str, b: str) -> dict[str, Any]:
    """Every figure with both values, both sources and its verdict."""
    return {
        "schema": SCHEMA,
        "baseline": a,
        "new": b,
        "regressed": bool(comparison.regressions),
        "regressions": [delta.a.key for delta in comparison.regressions],
        "remarks": [{"code": remark.code, "message": remark.message} for remark in comparison.remarks],
        "figures": [_figure(delta) for delta in comparison.deltas],
    }


def _figure(delta: Delta) -> dict[str, Any]:
    figure: dict[str, Any] = {
        "key": delta.a.key,
        "group": delta.a.group,
        "unit": str(delta.a.unit),
        "baseline": delta.a.value,
        "new": delta.b.value,
        "change": delta.change,
        "relative": delta.relative,
        "allowed": delta.allowed,
        "better": str(delta.rule.better),
        "baseline_sources": list(delta.a.sources),
        "new_sources": list(delta.b.sources),
        "verdict": str(delta.verdict),
    }
    return dict(finite(figure))  # the difference of two huge figures may be none
