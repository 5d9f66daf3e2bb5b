"""The memory plan: every buffer of an inference gets a place in one of two static arenas.

What lies where, and how far from the best, is `hil.deploy.memory`'s; here is what has to be placed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hil.deploy.cost import read_bytes
from hil.deploy.memory.bound import alive_bytes
from hil.deploy.memory.buffer import ALIGNMENT, Buffer, Overlap
from hil.deploy.memory.place import Placement
from hil.deploy.memory.regions import Region, divide
from hil.deploy.program import CODEC_SCRATCH, PAYLOAD, SYMBOLS, Overlapping, Program, Sends

__all__ = ["ALIGNMENT", "CODEC_SCRATCH", "PAYLOAD", "SYMBOLS", "Buffer", "Overlap", "Plan", "Region", "plan"]

DTCM_ARENA_BYTES = 56 * 1024
"""What stack and DMA buffers leave of DTCM's 64 KB, and some to spare."""


@dataclass(frozen=True)
class Plan:
    """Where all buffers lie."""

    buffers: tuple[Buffer, ...]
    arenas: dict[Region, Placement]
    alive: tuple[int, ...]
    """For every step the bytes that any plan needs; those past the program are quantise, encode, send."""

    @property
    def arena_bytes(self) -> int:
        """Both arenas together."""
        return sum(arena.arena_bytes for arena in self.arenas.values())

    @property
    def lower_bound(self) -> int:
        """No placement in the same regions takes less."""
        return sum(arena.lower_bound for arena in self.arenas.values())

    @property
    def gap_bytes(self) -> int:
        """What better placements in the same regions could save at most."""
        return self.arena_bytes - self.lower_bound

    @property
    def fullest_step(self) -> int:
        """The step at which most bytes are alive."""
        return self.alive.index(max(self.alive))

    @property
    def offsets(self) -> dict[str, int]:
        """Of each buffer in its own arena, in bytes."""
        return {name: offset for arena in self.arenas.values() for name, offset in arena.offsets.items()}

    def offset(self, name: str) -> int | None:
        return self.offsets.get(name)

    def region(self, name: str) -> Region:
        """The arena that holds buffer `name`. Raises StopIteration where there is no such buffer."""
        return next(region for region, arena in self.arenas.items() if name in arena.offsets)


def scratch_name(index: int) -> str:
    """The name of the scratch buffer of step `index`."""
    return f"scratch_{index}"


def plan(
    buffers: Sequence[Buffer], overlaps: Sequence[Overlap] = (), dtcm_bytes: int = 0, spend: bool = False
) -> Plan:
    """Places `buffers`, as `hil.deploy.memory.regions.divide` does with `dtcm_bytes` and `spend`."""
    arenas = divide(buffers, overlaps, dtcm_bytes, spend)
    return Plan(tuple(buffers), arenas, tuple(alive_bytes(buffers, overlaps)))


def plan_program(program: Program, dtcm_bytes: int = DTCM_ARENA_BYTES, spend: bool = False) -> Plan:
    """The plan of everything that one inference of `program` needs; see `plan`."""
    buffers = buffers_of(program)
    return plan(buffers, overlaps_of(program, buffers), dtcm_bytes, spend)


def buffers_of(program: Program) -> tuple[Buffer, ...]:
    """All buffers of one inference. Times are the program's steps, then quantise, encode and send."""
    tensors = _tensors(program)
    return (*tensors, *_scratch(program), *_sending(program))


def overlaps_of(program: Program, buffers: Sequence[Buffer]) -> tuple[Overlap, ...]:
    """What the program's kernels allow, where the input is needed by no later step."""
    by_name = {buffer.name: buffer for buffer in buffers}
    return tuple(
        Overlap(time, output, source, lead)
        for time, step in enumerate(program.steps)
        if isinstance(step.kernel, Overlapping)
        for (output, source), lead in step.kernel.leads(program.half, program.ops(step)).items()
        if {output, source} <= by_name.keys() and by_name[output].first == time == by_name[source].last
    )


def _tensors(program: Program) -> list[Buffer]:
    half, steps = program.half, program.steps
    first = {half.graph.input: 0}
    for time, step in enumerate(steps):
        first |= dict.fromkeys(program.writes(step), time)
    last, read = dict(first), dict.fromkeys(first, 0)
    for time, step in enumerate(steps):
        for name in program.reads(step):
            last[name] = max(last[name], time)
            read[name] += sum(read_bytes(half.graph, op, name) for op in program.ops(step))
    if half.graph.logits:
        last[half.graph.logits] = len(steps) + 2
    if half.feature and program.sender is None:
        last[half.feature] = max(last[half.feature], len(steps))
        read[half.feature] += half.graph.tensor(half.feature).elements
    sizes = {name: half.graph.tensor(name).elements for name in first}
    return [Buffer(name, sizes[name], first[name], last[name], sizes[name] + read[name]) for name in first]


def _scratch(program: Program) -> list[Buffer]:
    sizes = [step.kernel.scratch_bytes(program.half, program.ops(step)) for step in program.steps]
    return [
        Buffer(scratch_name(time), size, time, time, scratch=True) for time, size in enumerate(sizes) if size
    ]


def _sending(program: Program) -> list[Buffer]:
    coder, steps = program.half.coder, program.steps
    quantise = len(steps)
    encode, send = quantise + 1, quantise + 2
    made = steps.index(program.sender) if program.sender else quantise
    if coder is None:
        return []
    if program.sends is Sends.PAYLOAD:
        buffers = [Buffer(PAYLOAD, coder.capacity, made, send, coder.capacity)]
        if coder.scratch_bytes:
            buffers.append(Buffer(CODEC_SCRATCH, coder.scratch_bytes, made, made, scratch=True))
        return buffers
    buffers = [Buffer(SYMBOLS, coder.form.symbols, made, encode, 2 * coder.form.symbols)]
    if coder.scratch_bytes:
        buffers.append(Buffer(CODEC_SCRATCH, coder.scratch_bytes, encode, encode, scratch=True))
    return [*buffers, Buffer(PAYLOAD, coder.capacity, encode, send, coder.capacity)]
