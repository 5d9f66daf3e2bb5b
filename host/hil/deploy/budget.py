"""The refusal before the build: a network that cannot fit 1 MB of flash and 320 KB of RAM."""

from __future__ import annotations

from hil.boards.protocol import BoardInfo
from hil.deploy.cost import weight_bytes
from hil.deploy.plan import Plan
from hil.deploy.program import Program, step_title
from hil.errors import DoesNotFitError

FIRMWARE_FLASH_BYTES = 40 * 1024
"""Runtime, kernels and C library; the digits firmware takes less (see the footprint in its summary)."""

FIRMWARE_RAM_BYTES = 64 * 1024
"""DTCM, which holds the stack and the DMA buffers, and what small variables lie in SRAM."""


def check(program: Program, plan: Plan, board: BoardInfo) -> None:
    """Raises DoesNotFitError naming the layer that breaks the flash or the RAM budget."""
    flash_limit = board.flash_bytes - FIRMWARE_FLASH_BYTES
    total = 0
    for op in program.half.graph.ops:
        total += weight_bytes(op)
        if total > flash_limit:
            raise DoesNotFitError(
                f"layer {op.name!r} brings the weights to {total:,} bytes; {board.name} has room for "
                f"{flash_limit:,} beside the firmware",
                "use fewer or narrower layers",
            )
    ram_limit = board.ram_bytes - FIRMWARE_RAM_BYTES
    if plan.arena_bytes > ram_limit:
        titles = [step_title(program, step) for step in program.steps]
        steps = [f"layer {title!r}" for title in titles] + ["the quantiser", "the encoder", "sending"]
        alive = [b for b in plan.buffers if b.first <= plan.fullest_step <= b.last]
        listing = ", ".join(f"{b.name} {b.size:,}" for b in sorted(alive, key=lambda b: -b.size))
        raise DoesNotFitError(
            f"{steps[plan.fullest_step]} needs an arena of {plan.arena_bytes:,} bytes ({listing}); "
            f"{board.name} has {ram_limit:,}",
            "use a smaller input, fewer channels or an earlier stride",
        )
