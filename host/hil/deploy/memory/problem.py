"""Placement as integers: sizes in units of the alignment, and how far apart two buffers must begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from hil.deploy.memory.buffer import ALIGNMENT, Buffer, Overlap, aligned


@dataclass(frozen=True)
class Problem:
    """Buffers by index. Everything is in units of `ALIGNMENT` bytes."""

    buffers: tuple[Buffer, ...]
    overlaps: tuple[Overlap, ...]

    @cached_property
    def size(self) -> tuple[int, ...]:
        return tuple(aligned(b.size) // ALIGNMENT for b in self.buffers)

    @cached_property
    def apart(self) -> tuple[dict[int, int], ...]:
        """apart[b][a]: if a begins at or below b, b begins at least so far above it.

        That is a's size, or the lead of an overlap if that is less.
        """
        index = {b.name: i for i, b in enumerate(self.buffers)}
        lead = {(index[o.input], index[o.output]): aligned(o.lead) // ALIGNMENT for o in self.overlaps}
        return tuple(
            {
                a: min(self.size[a], lead.get((b, a), self.size[a]))
                for a, other in enumerate(self.buffers)
                if a != b and other.meets(buffer)
            }
            for b, buffer in enumerate(self.buffers)
        )

    def height(self, offsets: Sequence[int]) -> int:
        return max(offset + size for offset, size in zip(offsets, self.size, strict=True))

    def lowest_fit(self, order: Sequence[int]) -> list[int]:
        """Each buffer in turn at the lowest offset that those placed before it leave free."""
        offsets = [-1] * len(self.size)
        for b in order:
            apart = self.apart[b]
            barred = sorted(
                (offsets[a] - self.apart[a][b], offsets[a] + above)
                for a, above in apart.items()
                if offsets[a] >= 0
            )
            offset = 0
            for low, high in barred:  # neither end is barred itself
                if low >= offset:
                    break
                offset = max(offset, high)
            offsets[b] = offset
        return offsets
