"""How learning rate and weight decay fall."""

from __future__ import annotations

import math


def cosine(step: int, steps: int, warmup: int = 0) -> float:
    """Factor in [0, 1] for `step` of `steps`: linear over `warmup` steps, then half a cosine to 0."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))
