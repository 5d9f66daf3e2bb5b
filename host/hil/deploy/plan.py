"""The memory plan: every buffer of an inference gets an offset in one static arena.

Buffers whose lifetimes overlap must not share bytes. Placing the largest first, each at the lowest
offset that is free for its whole life, is TFLite Micro's greedy rule. `lower_bound` is the largest
sum of buffers alive at one step, which no plan can beat.
"""

from __future__ import annotations

from dataclasses import dataclass

from hil.deploy.program import CODEC_SCRATCH, PAYLOAD, SYMBOLS, Program, Sends

ALIGNMENT = 8


@dataclass(frozen=True)
class Buffer:
    """`size` bytes, alive from step `first` to step `last`, both included."""

    name: str
    size: int
    first: int
    last: int


@dataclass(frozen=True)
class Plan:
    """Offsets in bytes; `arena_bytes` holds them all."""

    buffers: tuple[Buffer, ...]
    offsets: dict[str, int]
    arena_bytes: int
    lower_bound: int
    fullest_step: int
    """The step at which most bytes are alive; steps past the graph are quantise, encode, send."""

    def offset(self, name: str) -> int | None:
        return self.offsets.get(name)


def scratch_name(index: int) -> str:
    """The name of the scratch buffer of step `index`."""
    return f"scratch_{index}"


def buffers_of(program: Program) -> tuple[Buffer, ...]:
    """All buffers of one inference. Times are the program's steps, then quantise, encode and send."""
    half, steps = program.half, program.steps
    quantise = len(steps)
    encode, send = quantise + 1, quantise + 2
    first = {half.graph.input: 0}
    for time, step in enumerate(steps):
        first |= dict.fromkeys(program.writes(step), time)
    last = dict(first)
    for time, step in enumerate(steps):
        for name in program.reads(step):
            last[name] = max(last[name], time)
    if half.graph.logits:
        last[half.graph.logits] = send
    if half.feature and program.sender is None:
        last[half.feature] = quantise
    buffers = [Buffer(name, half.graph.tensor(name).elements, first[name], last[name]) for name in first]
    for time, step in enumerate(steps):
        if size := step.kernel.scratch_bytes(half, program.ops(step)):
            buffers.append(Buffer(scratch_name(time), size, time, time))
    made = steps.index(program.sender) if program.sender else quantise
    if half.coder and program.sends is Sends.PAYLOAD:
        buffers.append(Buffer(PAYLOAD, half.coder.capacity, made, send))
    elif half.coder:
        buffers.append(Buffer(SYMBOLS, half.coder.form.symbols, made, encode))
        if half.coder.scratch_bytes:
            buffers.append(Buffer(CODEC_SCRATCH, half.coder.scratch_bytes, encode, encode))
        buffers.append(Buffer(PAYLOAD, half.coder.capacity, encode, send))
    return tuple(buffers)


def plan(buffers: tuple[Buffer, ...]) -> Plan:
    """Places `buffers`, largest first, at the lowest free offset."""
    offsets: dict[str, int] = {}
    placed: list[Buffer] = []
    for buffer in sorted(buffers, key=lambda b: (-b.size, b.first, b.name)):
        neighbours = [b for b in placed if b.first <= buffer.last and buffer.first <= b.last]
        offset = 0
        for other in sorted(neighbours, key=lambda b: offsets[b.name]):
            if offset + buffer.size <= offsets[other.name]:
                break
            offset = max(offset, _aligned(offsets[other.name] + other.size))
        offsets[buffer.name] = offset
        placed.append(buffer)
    alive = [
        sum(_aligned(b.size) for b in buffers if b.first <= step <= b.last)
        for step in range(1 + max(b.last for b in buffers))
    ]
    arena = max(_aligned(offsets[b.name] + b.size) for b in buffers)
    return Plan(buffers, offsets, arena, max(alive), alive.index(max(alive)))


def _aligned(size: int) -> int:
    return size + -size % ALIGNMENT
