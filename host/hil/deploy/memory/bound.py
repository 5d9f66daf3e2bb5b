"""What no placement can beat: the bytes that are alive at one step.

Buffers alive together need the sum of their sizes, save those that a step lets overlap. An output of
`o` bytes over inputs of `i` bytes together (disjoint, as they are alive together) covers at least `o`
bytes, and at least `i` and the part of the output below the first input that it shares bytes with:
max(o, i + min(o, least lead)). Where a step has several outputs over the same inputs, max(Σo, Σi).
"""

from __future__ import annotations

from collections.abc import Iterable

from hil.deploy.memory.buffer import Buffer, Overlap, aligned


def alive_bytes(buffers: Iterable[Buffer], overlaps: Iterable[Overlap]) -> list[int]:
    """For every step, the bytes that any placement needs there."""
    buffers, overlaps = tuple(buffers), tuple(overlaps)
    steps = range(1 + max((b.last for b in buffers), default=-1))
    size = {b.name: aligned(b.size) for b in buffers}
    return [
        sum(size[b.name] for b in buffers if b.first <= step <= b.last)
        - saving(size, [o for o in overlaps if o.step == step])
        for step in steps
    ]


def saving(size: dict[str, int], overlaps: Iterable[Overlap]) -> int:
    """The most bytes that `overlaps`, all of one step, can save. `size` is in aligned bytes."""
    whole = 0
    for group in _components(overlaps):
        outputs, inputs = {o.output for o in group}, {o.input for o in group}
        written, read = sum(size[name] for name in outputs), sum(size[name] for name in inputs)
        lead = min(aligned(o.lead) for o in group) if len(outputs) == 1 else 0
        whole += written + read - max(written, read + min(written, lead))
    return whole


def _components(overlaps: Iterable[Overlap]) -> list[list[Overlap]]:
    """Overlaps that share a buffer, directly or through others."""
    groups: list[list[Overlap]] = []
    for overlap in overlaps:
        names = {overlap.output, overlap.input}
        touching = [g for g in groups if any(names & {o.output, o.input} for o in g)]
        groups = [g for g in groups if g not in touching]
        groups.append([overlap, *(o for g in touching for o in g)])
    return groups
