"""How training tells its caller how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """`done` of `total` epochs (or batches) of `phase`: reference, warm-up, remap, train, evaluate."""

    phase: str
    done: int
    total: int
    text: str = ""
    left_s: float | None = None
    """Seconds to the end of the whole training, where an epoch has shown its pace."""
    warning: str = ""
    """What the user should know, and training goes on with."""


def left(step: Progress) -> str:
    """ "4 min left", of the whole training; empty where nobody knows yet."""
    if step.left_s is None:
        return ""
    if step.left_s >= 3600:
        return f"{step.left_s / 3600:.1f} h left"
    return f"{step.left_s / 60:.0f} min left" if step.left_s >= 90 else f"{step.left_s:.0f} s left"


Report = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """For callers that do not want to know."""
