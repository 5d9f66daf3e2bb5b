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


Report = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """For callers that do not want to know."""
