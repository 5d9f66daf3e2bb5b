"""Buffers and overlaps for tests: what no network would bring, and what the chains of one do."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from hil.deploy.memory.buffer import ALIGNMENT, Buffer, Overlap


@dataclass(frozen=True)
class Case:
    buffers: tuple[Buffer, ...]
    overlaps: tuple[Overlap, ...] = ()


@st.composite
def cases(draw: st.DrawFn, count: int = 12, largest: int = 5000, steps: int = 8) -> Case:
    """Buffers of random lives; each that dies where others are born may lie under some of them."""
    buffers = []
    for index in range(draw(st.integers(1, count))):
        first = draw(st.integers(0, steps))
        last = first + draw(st.integers(0, 3))
        size, accesses = draw(st.integers(1, largest)), draw(st.integers(0, 4 * largest))
        buffers.append(Buffer(f"b{index}", size, first, last, accesses, draw(st.booleans())))
    pairs = [(a, b) for a in buffers for b in buffers if a is not b and a.first == b.last]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=4)) if pairs else []
    leads = st.one_of(st.just(0), st.integers(0, largest))
    overlaps = [Overlap(a.first, a.name, b.name, draw(leads)) for a, b in chosen if a.last > a.first]
    return Case(tuple(buffers), tuple(o for o in overlaps if not _mutual(o, overlaps)))


def _mutual(overlap: Overlap, overlaps: list[Overlap]) -> bool:
    """Whether two buffers of one step could each lie under the other."""
    return any((o.output, o.input) == (overlap.input, overlap.output) for o in overlaps)


def small() -> st.SearchStrategy[Case]:
    """Few and small enough to try all placements."""
    return cases(count=5, largest=3 * ALIGNMENT, steps=2)


def assert_sound(case: Case, offsets: dict[str, int]) -> None:
    """No two buffers that are alive together share a byte, except as an overlap allows."""
    leads = {(o.output, o.input): o.lead for o in case.overlaps}
    for a in case.buffers:
        assert offsets[a.name] % ALIGNMENT == 0
        assert offsets[a.name] >= 0
        for b in case.buffers:
            if a is b or not a.meets(b):
                continue
            low, high = offsets[a.name], offsets[b.name]
            apart = low + a.size <= high or high + b.size <= low
            streamed = (a.name, b.name) in leads and low + leads[a.name, b.name] <= high
            mirrored = (b.name, a.name) in leads and high + leads[b.name, a.name] <= low
            assert apart or streamed or mirrored, (a, b)
