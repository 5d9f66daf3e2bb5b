"""Which buffers lie in DTCM: memory without cache misses, but only 64 KB with stack and DMA buffers.

If all fit, all go there. Otherwise the hottest do, kernel scratch before tensors and these by accesses per
byte, each if DTCM has room and the two arenas together take no more than a single one would: RAM is not
paid for speed unless asked for. Buffers alive at the fullest step come first. They lie beside each other
anyway, so parting them costs nothing, and the room that they take in DTCM is there for others at all other
steps. What finds no room is tried again when others have moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum

from hil.deploy.memory.buffer import Buffer, Overlap
from hil.deploy.memory.place import Placement, place

_QUICK = {"rounds": 40, "nodes": 0}
"""While candidates are tried; what is chosen is then placed with care."""


class Region(Enum):
    """The memories that hold buffers."""

    DTCM = "dtcm"
    SRAM = "sram"


def divide(
    buffers: Sequence[Buffer], overlaps: Sequence[Overlap], dtcm_bytes: int, spend: bool = False
) -> dict[Region, Placement]:
    """A placement for each region; `dtcm_bytes` is what DTCM has room for, 0 for none.

    With `spend` RAM is paid for speed: whatever finds room in DTCM goes there.
    """
    whole = place(buffers, overlaps)
    if whole.arena_bytes <= dtcm_bytes:
        return {Region.DTCM: whole, Region.SRAM: Placement()}
    best = {Region.DTCM: Placement(), Region.SRAM: whole}
    if not dtcm_bytes:
        return best
    full, hot, moved = whole.fullest_step, list[Buffer](), True
    order = sorted(buffers, key=lambda b: (not b.first <= full <= b.last, *_heat(b)))
    while moved:
        moved = False
        for buffer in [b for b in order if b not in hot]:
            quick = [_part(names, buffers, overlaps, _QUICK) for names in _names([*hot, buffer], buffers)]
            free = spend or sum(part.arena_bytes for part in quick) <= whole.arena_bytes
            if free and quick[0].arena_bytes <= dtcm_bytes:
                hot.append(buffer)
                moved = True
    if hot:
        dtcm, sram = (_part(names, buffers, overlaps, {}) for names in _names(hot, buffers))
        best = {Region.DTCM: dtcm, Region.SRAM: sram}
    return best


def _heat(buffer: Buffer) -> tuple[bool, float, str]:
    """Sorts the hottest first."""
    return not buffer.scratch, -buffer.accesses / buffer.size, buffer.name


def _names(hot: Iterable[Buffer], buffers: Iterable[Buffer]) -> tuple[set[str], set[str]]:
    inside = {b.name for b in hot}
    return inside, {b.name for b in buffers} - inside


def _part(
    names: set[str], buffers: Sequence[Buffer], overlaps: Sequence[Overlap], effort: dict[str, int]
) -> Placement:
    pairs = [o for o in overlaps if {o.output, o.input} <= names]
    return place([b for b in buffers if b.name in names], pairs, **effort)
