"""The lowered device half: which kernel computes which ops, in the order of the generated code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hil.codec.coder import Coder
from hil.deploy.graph import Graph, Op

SYMBOLS, CODEC_SCRATCH, PAYLOAD = "symbols", "codec_scratch", "payload"
"""Buffers that are no tensors."""


@dataclass(frozen=True)
class DeviceHalf:
    """What the generated code has to compute: the graph, and what becomes of its feature map."""

    graph: Graph
    coder: Coder | None = None
    """None: nothing is sent."""
    symbol_of: NDArray[np.uint8] | None = None
    """(256,) centroid index of the int8 feature v at v + 128."""

    @property
    def feature(self) -> str | None:
        """The tensor that is quantised and sent; None where nothing is."""
        return self.graph.feature if self.coder else None


@dataclass(frozen=True)
class Code:
    """C of a step: constants, helpers and the like, and the lines of the function that runs it.

    The function returns `arm_cmsis_nn_status`.
    """

    body: tuple[str, ...]
    before: str = ""


class Sends(Enum):
    """How far a kernel takes the feature map."""

    NOTHING = "nothing"
    """It leaves the map in memory, if it makes it at all."""
    SYMBOLS = "symbols"
    """It writes symbols, in the payload's order."""
    PAYLOAD = "payload"
    """It encodes them too, and sets `payload_bytes` (int32_t, −1 on failure)."""


class Kernel(Protocol):
    """A way to compute some consecutive ops. One file in `deploy/kernels` holds a family of them."""

    @property
    def name(self) -> str:
        """As reports show it: the C function, and the variant where there are several."""
        ...

    @property
    def sends(self) -> Sends:
        """What it makes of the feature map."""
        ...

    def covers(self, half: DeviceHalf, first: int) -> int:
        """How many ops from number `first` on it computes; 0 when it is not made for them."""
        ...

    def scratch_bytes(self, half: DeviceHalf, ops: tuple[Op, ...]) -> int:
        """Memory that it works in, besides inputs and outputs."""
        ...

    def emit(self, site: Site) -> Code:
        """The C."""
        ...


@runtime_checkable
class Overlapping(Protocol):
    """A kernel that reads ahead of where it writes, so that an output may lie over an input."""

    def leads(self, half: DeviceHalf, ops: tuple[Op, ...]) -> dict[tuple[str, str], int]:
        """By output and input: the bytes by which the output must begin below the input, 0 for in place.

        The kernel must bear any greater distance, too. The output may be SYMBOLS or PAYLOAD.
        """
        ...


@dataclass(frozen=True)
class Step:
    """Ops `first` to `first + count − 1` under one kernel."""

    first: int
    count: int
    kernel: Kernel

    @property
    def end(self) -> int:
        return self.first + self.count


@dataclass(frozen=True)
class Program:
    """Steps that cover every op once, in order."""

    half: DeviceHalf
    steps: tuple[Step, ...]

    def ops(self, step: Step) -> tuple[Op, ...]:
        """What `step` computes."""
        return self.half.graph.ops[step.first : step.end]

    def reads(self, step: Step) -> tuple[str, ...]:
        """Tensors that must be in memory when `step` begins, in order of use."""
        inside = {op.output for op in self.ops(step)}
        return tuple(dict.fromkeys(n for op in self.ops(step) for n in op.inputs if n not in inside))

    def writes(self, step: Step) -> tuple[str, ...]:
        """Tensors that `step` leaves in memory for later steps or for the firmware."""
        return tuple(op.output for op in self.ops(step) if op.output in self._needed_after(step))

    @cached_property
    def sender(self) -> Step | None:
        """The step that makes symbols or the whole payload; None where that comes after the graph."""
        return next((step for step in self.steps if step.kernel.sends is not Sends.NOTHING), None)

    @property
    def sends(self) -> Sends:
        """How much of the payload the steps make."""
        return Sends.NOTHING if self.sender is None else self.sender.kernel.sends

    def _needed_after(self, step: Step) -> set[str]:
        graph = self.half.graph
        needed = {name for op in graph.ops[step.end :] for name in op.inputs}
        if graph.logits:
            needed.add(graph.logits)
        if self.half.feature and self.sender is None:
            needed.add(self.half.feature)
        return needed


@dataclass(frozen=True)
class Site:
    """Where a step's C goes: names and addresses, as C expressions."""

    half: DeviceHalf
    ops: tuple[Op, ...]
    name: str
    """The C identifier of the step; prefix of everything it defines."""
    places: dict[str, str]
    """Of what is in memory."""
    scratch: str
    """NULL where the kernel asks for none."""

    def at(self, buffer: str) -> str:
        """The address of a tensor, or of SYMBOLS or PAYLOAD."""
        return self.places[buffer]


def step_title(program: Program, step: Step) -> str:
    """The step's name in reports: that of its op, or of the first and the last."""
    ops = program.ops(step)
    return ops[0].name if len(ops) == 1 else f"{ops[0].name} … {ops[-1].name}"


def identifier(program: Program, index: int) -> str:
    """A readable C name of step `index`, unique by that."""
    first = program.ops(program.steps[index])[0]
    return f"layer{index}_" + re.sub(r"\W+", "_", first.name).strip("_").lower()
