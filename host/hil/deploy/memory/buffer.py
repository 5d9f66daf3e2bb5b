"""What has to be placed: buffers with lifetimes, and pairs of them that may share bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ALIGNMENT = 8


@dataclass(frozen=True)
class Buffer:
    """`size` bytes, alive from step `first` to step `last`, both included."""

    name: str
    size: int
    first: int
    last: int
    accesses: int = 0
    """Bytes read and written over the whole life, an estimate."""
    scratch: bool = False
    """What a kernel or codec works in: read and written all the time."""

    def meets(self, other: Buffer) -> bool:
        """Whether both are alive at some step."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Overlap:
    """A step whose kernel reads `input` ahead of where it writes `output`.

    They may share bytes if `output` begins at least `lead` bytes below the beginning of `input`; 0 is in
    place. The input has to die at the step, and the output to be born there.
    """

    step: int
    output: str
    input: str
    lead: int = 0


def aligned(size: int) -> int:
    """`size` rounded up to the alignment of every buffer."""
    return size + -size % ALIGNMENT


def check(buffers: Iterable[Buffer], overlaps: Iterable[Overlap]) -> None:
    """Raises ValueError for an overlap that its buffers' lives do not allow."""
    by_name = {buffer.name: buffer for buffer in buffers}
    for overlap in overlaps:
        written, read = by_name[overlap.output], by_name[overlap.input]
        if not written.first == overlap.step == read.last or overlap.lead < 0:
            raise ValueError(f"{overlap.output} must not overlap {overlap.input} at step {overlap.step}")
