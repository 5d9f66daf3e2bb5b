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


Report = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """For callers that do not want to know."""
