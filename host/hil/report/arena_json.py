"""The memory plan as JSON."""

from __future__ import annotations

from typing import Any

from hil.deploy.plan import Plan


def memory_report(plan: Plan) -> dict[str, Any]:
    """Bytes of both arenas with their bounds, and where each buffer lies from which step to which."""
    return {
        "arenas": {
            region.value: {"bytes": arena.arena_bytes, "lower_bound_bytes": arena.lower_bound}
            for region, arena in plan.arenas.items()
        },
        "buffers": [
            {
                "name": buffer.name,
                "region": plan.region(buffer.name).value,
                "offset": plan.offsets[buffer.name],
                "bytes": buffer.size,
                "first_step": buffer.first,
                "last_step": buffer.last,
            }
            for buffer in plan.buffers
        ],
    }
