"""Memory plans of any buffers: which bytes belong to whom, step by step."""

from __future__ import annotations

import numpy as np

from hil.deploy.memory.buffer import ALIGNMENT, Buffer, Overlap
from hil.deploy.plan import Plan, plan
from hil.neighbourhood.parameter import Choice, Data, Parameters, Whole
from hil.neighbourhood.template import Template, each
from hil_tests.neighbourhood.layers import random_of, whole

SOURCES = ("hil_tests/neighbourhood/layers.py",)


def buffers_of(parameters: Parameters) -> tuple[list[Buffer], list[Overlap]]:
    """Buffers of any lives, and overlaps where one dies as another is born."""
    random, steps = random_of(parameters), whole(parameters, "steps")
    buffers = []
    for index in range(whole(parameters, "buffers")):
        first = int(random.integers(0, steps))
        last = int(min(steps - 1, first + random.integers(0, whole(parameters, "longest"))))
        size = int(random.integers(1, whole(parameters, "largest") + 1))
        buffers.append(
            Buffer(f"b{index}", size, first, last, int(random.integers(0, 5000)), random.random() < 0.2)
        )
    pairs = [
        (a, b) for a in buffers for b in buffers if a is not b and a.first == b.last and a.last > a.first
    ]
    random.shuffle(pairs)
    overlaps: list[Overlap] = []
    for a, b in pairs[: whole(parameters, "overlaps")]:
        if not any((o.output, o.input) in ((b.name, a.name), (a.name, b.name)) for o in overlaps):
            lead = int(random.integers(0, 100)) if random.random() < 0.5 else 0
            overlaps.append(Overlap(a.first, a.name, b.name, lead))
    return buffers, overlaps


def _plan(parameters: Parameters) -> str:
    buffers, overlaps = buffers_of(parameters)
    dtcm, spend = whole(parameters, "dtcm"), parameters["spend"] == "yes"
    made = plan(buffers, overlaps, dtcm, spend)
    if made != plan(buffers, overlaps, dtcm, spend):
        return "the same buffers are placed otherwise the second time"
    return _sizes(made, buffers, dtcm) or _owners(made, buffers, overlaps)


def _sizes(made: Plan, buffers: list[Buffer], dtcm: int) -> str:
    names = sorted(name for arena in made.arenas.values() for name in arena.offsets)
    if names != sorted(buffer.name for buffer in buffers):
        return f"placed are {names}"
    by_name = {buffer.name: buffer for buffer in buffers}
    for region, arena in made.arenas.items():
        ends = [offset + by_name[name].size for name, offset in arena.offsets.items()]
        if any(offset % ALIGNMENT or offset < 0 for offset in arena.offsets.values()):
            return f"an offset in {region.value} is not aligned"
        if max(ends, default=0) > arena.arena_bytes or arena.lower_bound > arena.arena_bytes:
            return f"{region.value} has {arena.arena_bytes} bytes, buffers end at {max(ends)}"
        if region.value == "dtcm" and arena.arena_bytes > dtcm:
            return f"DTCM has {arena.arena_bytes} bytes in {dtcm}"
    return ""


def _owners(made: Plan, buffers: list[Buffer], overlaps: list[Overlap]) -> str:
    """At every step each byte is one live buffer's, save where an overlap lets an output follow its input."""
    allowed = {(o.step, o.output, o.input): o.lead for o in overlaps}
    for step in range(max(buffer.last for buffer in buffers) + 1):
        alive = [buffer for buffer in buffers if buffer.first <= step <= buffer.last]
        for region, arena in made.arenas.items():
            owner = np.full(arena.arena_bytes, -1)
            for index, buffer in enumerate(alive):
                if buffer.name not in arena.offsets:
                    continue
                begin = arena.offsets[buffer.name]
                for other in np.unique(owner[begin : begin + buffer.size]):
                    if other >= 0 and not _follows(allowed, step, buffer, alive[other], arena.offsets):
                        both = f"{buffer.name} and {alive[other].name}"
                        return f"at step {step} {both} share bytes of {region.value}"
                owner[begin : begin + buffer.size] = index
    return ""


def _follows(
    allowed: dict[tuple[int, str, str], int], step: int, a: Buffer, b: Buffer, offsets: dict[str, int]
) -> bool:
    for output, source in ((a.name, b.name), (b.name, a.name)):
        lead = allowed.get((step, output, source))
        if lead is not None and offsets[output] + lead <= offsets[source]:
            return True
    return False


TEMPLATES = (
    Template(
        "memory-plan",
        "Do buffers that are alive together lie apart, save where one may follow the other?",
        (
            Whole("buffers", 1, 14),
            Whole("steps", 1, 10),
            Whole("longest", 1, 5),
            Whole("largest", 1, 4000, (7, 8, 9)),
            Whole("overlaps", 0, 4),
            Whole("dtcm", 0, 20_000, (8, 1024)),
            Choice("spend", ("no", "yes")),
            Data(),
        ),
        each(_plan),
        "a map of which byte is whose at every step",
        ("deploy",),
        batch=25,
        full=400,
        sample=12,
        sources=SOURCES,
    ),
)
