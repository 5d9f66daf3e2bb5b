"""Which buffers lie in DTCM: memory without cache misses, but only 64 KB with stack and DMA buffers.

If all fit, all go there. Otherwise DTCM takes as much of the fullest step as it has room for (those buffers
lie beside each other anyway, so parting them costs nothing), of all other steps as much as it takes to keep
both arenas together no larger than a single one, and then whatever else fits. Each time the hottest go
first: kernel scratch, then by accesses per byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from itertools import combinations

from hil.deploy.memory.buffer import Buffer, Overlap, aligned
from hil.deploy.memory.heat import Hottest
from hil.deploy.memory.place import Placement, place

_COMBINED_MAX, _SHARES_MAX = 10, 32
"""Buffers of the fullest step of which all combinations are looked at, the largest; sums that are tried."""


class Region(Enum):
    """The memories that hold buffers."""

    DTCM = "dtcm"
    SRAM = "sram"


def divide(
    buffers: Sequence[Buffer], overlaps: Sequence[Overlap], dtcm_bytes: int, spend: bool = False
) -> dict[Region, Placement]:
    """A placement for each region; `dtcm_bytes` is what DTCM has room for, 0 for none.

    With `spend` RAM is paid for speed: DTCM is filled with the hottest, whatever both arenas then take.
    """
    whole = place(buffers, overlaps)
    if whole.arena_bytes <= dtcm_bytes:
        return {Region.DTCM: whole, Region.SRAM: Placement()}
    shares = _fractions(dtcm_bytes) if spend else _sums(buffers, whole.fullest_step, dtcm_bytes)
    for share in shares:
        limit = None if spend else whole.arena_bytes - share
        hottest = Hottest(buffers, overlaps, share)
        if limit is not None and not hottest.relieve(limit):
            continue
        hottest.fill(limit)
        inside = {b.name for b in hottest.taken}
        dtcm = _part(inside, buffers, overlaps)
        sram = _part({b.name for b in buffers} - inside, buffers, overlaps)
        free = spend or dtcm.arena_bytes + sram.arena_bytes <= whole.arena_bytes
        if free and dtcm.arena_bytes <= dtcm_bytes:
            return {Region.DTCM: dtcm, Region.SRAM: sram}
    return {Region.DTCM: Placement(), Region.SRAM: whole}


def _sums(buffers: Sequence[Buffer], step: int, most: int) -> list[int]:
    """What some, not all, of the buffers alive at `step` take together, the most first."""
    sizes = sorted((aligned(b.size) for b in buffers if b.first <= step <= b.last), reverse=True)
    parts = (c for n in range(1, len(sizes)) for c in combinations(sizes[:_COMBINED_MAX], n))
    return sorted({sum(part) for part in parts if sum(part) <= most}, reverse=True)[:_SHARES_MAX]


def _fractions(most: int) -> list[int]:
    """All, and less in case a placement has gaps."""
    return [most * eighths // 8 for eighths in (8, 7, 6, 4)] if most else []


def _part(names: set[str], buffers: Sequence[Buffer], overlaps: Sequence[Overlap]) -> Placement:
    pairs = [o for o in overlaps if {o.output, o.input} <= names]
    return place([b for b in buffers if b.name in names], pairs)
