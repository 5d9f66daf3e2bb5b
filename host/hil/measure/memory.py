"""Memory: the ELF's footprint, the board's limits and the stack that the device saw used."""

from __future__ import annotations

from collections.abc import Iterable

from hil.boards.protocol import BoardInfo
from hil.deploy.deployment import Footprint
from hil.session.events import MemoryUse


def memory_use(footprint: Footprint, board: BoardInfo) -> MemoryUse:
    """Bytes of flash and RAM, and what the board has of both."""
    return MemoryUse(
        flash_bytes=footprint.flash_bytes,
        ram_static_bytes=footprint.ram_static_bytes,
        arena_bytes=footprint.arena_bytes,
        stack_bytes=footprint.stack_bytes,
        flash_limit=board.flash_bytes,
        ram_limit=board.ram_bytes,
    )


def stack_peak(peaks: Iterable[int]) -> int | None:
    """The deepest stack in bytes that any sample reported; None when none did."""
    return max((peak for peak in peaks if peak > 0), default=None)
