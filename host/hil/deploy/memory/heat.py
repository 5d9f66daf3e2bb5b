"""Which buffers to take out of an arena: the hottest, as far as another has room for them."""

from __future__ import annotations

from collections.abc import Sequence

from hil.deploy.memory.bound import alive_bytes
from hil.deploy.memory.buffer import Buffer, Overlap, aligned


class Hottest:
    """Takes buffers until `taken` is full; `room` is what it has left at every step, in bytes."""

    def __init__(self, buffers: Sequence[Buffer], overlaps: Sequence[Overlap], room_bytes: int) -> None:
        self.taken: list[Buffer] = []
        self._order = sorted(buffers, key=_heat)
        self._overlaps = overlaps
        self._room = [room_bytes] * (1 + max(b.last for b in buffers))

    def relieve(self, limit_bytes: int) -> bool:
        """Takes what is alive at the fullest step until at most `limit_bytes` are left at every step.

        False when there is no room for that.
        """
        while True:
            alive = self._left_alive()
            step = alive.index(max(alive))
            if alive[step] <= limit_bytes:
                return True
            fitting = (b for b in self._order if b.first <= step <= b.last and self._fits(b))
            if (hottest := next(fitting, None)) is None:
                return False
            self._take(hottest)

    def fill(self, limit_bytes: int | None) -> None:
        """Takes whatever fits, unless more than `limit_bytes` are then left at a step.

        That can be, as a buffer that leaves no longer overlaps another.
        """
        for buffer in self._order:
            if self._fits(buffer):
                self._take(buffer)
                if limit_bytes is not None and max(self._left_alive()) > limit_bytes:
                    self._give_back(buffer)

    def _left_alive(self) -> list[int]:
        names = {b.name for b in self.taken}
        left = [b for b in self._order if b.name not in names]
        return alive_bytes(left, [o for o in self._overlaps if not {o.output, o.input} & names]) or [0]

    def _fits(self, buffer: Buffer) -> bool:
        room = min(self._room[buffer.first : buffer.last + 1])
        return buffer not in self.taken and aligned(buffer.size) <= room

    def _take(self, buffer: Buffer) -> None:
        self.taken.append(buffer)
        for step in range(buffer.first, buffer.last + 1):
            self._room[step] -= aligned(buffer.size)

    def _give_back(self, buffer: Buffer) -> None:
        self.taken.remove(buffer)
        for step in range(buffer.first, buffer.last + 1):
            self._room[step] += aligned(buffer.size)


def _heat(buffer: Buffer) -> tuple[bool, float, str]:
    """Sorts the hottest first: scratch, then by accesses per byte."""
    return not buffer.scratch, -buffer.accesses / buffer.size, buffer.name
