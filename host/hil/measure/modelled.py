"""What an instruction count would be on the chip, by the twin's model: shown beside it, never instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hil.measure.source import Source
from hil.session.events import LatencyParts


def modelled_latency(parts: Sequence[LatencyParts], time_source: str) -> dict[str, Any] | None:
    """Means in milliseconds of a run that counted one cycle for each instruction.

    The device's own stages shrink or grow by the twin's cycles per instruction; link and server half
    stay. None for runs that have cycles already; `time_source` is a Source, or its text.
    """
    if time_source != Source.RENODE_INSTRUCTIONS or not parts:
        return None
    from hil.twin.clock import CYCLES_PER_INSTRUCTION

    local = CYCLES_PER_INSTRUCTION * sum(part.local for part in parts) / len(parts)
    fuse = CYCLES_PER_INSTRUCTION * sum(part.fuse for part in parts) / len(parts)
    rest = sum(part.link + part.remote for part in parts) / len(parts)
    return {
        "mean": local + rest + fuse,
        "local": local,
        "fuse": fuse,
        "cycles_per_instruction": CYCLES_PER_INSTRUCTION,
        "source": str(Source.MODELLED),
    }
