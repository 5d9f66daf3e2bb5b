"""A number with its unit, its source and how far it may be off."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Coefficient:
    """One figure of the model. `uncertainty` is ± in the same unit; None where no source gives one."""

    value: float
    unit: str
    source: str
    uncertainty: float | None = None
