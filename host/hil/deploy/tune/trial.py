"""A step on its own: where its tensors lie, its C, and the name that shapes give it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hil.deploy.emit import step_function
from hil.deploy.graph import Op, Weights
from hil.deploy.plan import ALIGNMENT
from hil.deploy.program import (
    CODEC_SCRATCH,
    PAYLOAD,
    SYMBOLS,
    DeviceHalf,
    Program,
    Sends,
    Site,
    Step,
    step_title,
)

_SCRATCH = "scratch"

_SHAPING = (
    "kernel", "stride", "padding", "channel_multiplier", "amounts", "begin", "end", "left_shift",
)  # fmt: skip
"""Attributes of ops that decide what is executed, however a kernel is written."""


@dataclass(frozen=True)
class Trial:
    """One candidate, with its tensors, scratch and payload side by side in an arena of its own."""

    half: DeviceHalf
    step: Step

    @cached_property
    def _alone(self) -> Program:
        return Program(self.half, (self.step,))

    @property
    def ops(self) -> tuple[Op, ...]:
        """What it computes."""
        return self._alone.ops(self.step)

    @property
    def title(self) -> str:
        """As reports name the step."""
        return step_title(self._alone, self.step)

    @property
    def reads(self) -> tuple[str, ...]:
        """Tensors that it needs."""
        return self._alone.reads(self.step)

    @property
    def writes(self) -> tuple[str, ...]:
        """Tensors that it makes."""
        return self._alone.writes(self.step)

    @cached_property
    def scratch_bytes(self) -> int:
        """Memory that it works in."""
        return self.step.kernel.scratch_bytes(self.half, self.ops)

    @cached_property
    def offsets(self) -> dict[str, int]:
        """Places in the arena, in bytes."""
        return self._layout[0]

    @property
    def arena_bytes(self) -> int:
        """That all of it takes."""
        return self._layout[1]

    @property
    def sends(self) -> Sends:
        """What it makes of the feature map."""
        return self.step.kernel.sends

    @cached_property
    def _layout(self) -> tuple[dict[str, int], int]:
        sizes = {name: self.half.graph.tensor(name).elements for name in (*self.reads, *self.writes)}
        if self.scratch_bytes:
            sizes[_SCRATCH] = self.scratch_bytes
        if self.half.coder and self.sends is Sends.SYMBOLS:
            sizes[SYMBOLS] = self.half.coder.form.symbols
        elif self.half.coder and self.sends is Sends.PAYLOAD:
            sizes[PAYLOAD] = self.half.coder.capacity
            if self.half.coder.scratch_bytes:
                sizes[CODEC_SCRATCH] = self.half.coder.scratch_bytes
        offsets, end = {}, 0
        for name, size in sizes.items():
            offsets[name] = end
            end += size + -size % ALIGNMENT
        return offsets, end

    def source(self, name: str) -> str:
        """The C of a static function `name`; `arena_at(offset)` is an address in the arena."""
        places = {tensor: f"arena_at({offset})" for tensor, offset in self.offsets.items()}
        site = Site(self.half, self.ops, name, places, places.get(_SCRATCH, "NULL"))
        return step_function(self.step.kernel.emit(site), name, f"{self.title}: {self.step.kernel.name}")

    def signature(self, sample: NDArray[np.int8]) -> str:
        """Equal where two trials take the same time: kernel, shapes, and the C without its numbers.

        Numbers are weights, biases, ratios and offsets, whose values cost nothing, and sizes, which
        follow from the shapes. Where a value does change the code, by a branch that is left out or a
        helper that is needed, the rest of the text shows it. `sample` matters to what sends.
        """
        sent = () if self.sends is Sends.NOTHING else (payload_signature(self.half, sample),)
        code = hashlib.sha256(_without_numbers(self.source("step")).encode()).hexdigest()
        return "\n".join([self.step.kernel.name, code, *map(self._op_text, self.ops), *sent])

    def _op_text(self, op: Op) -> str:
        graph = self.half.graph
        shapes = [graph.tensor(name).shape for name in (*op.inputs, op.output)]
        shaping = [(name, getattr(op, name)) for name in _SHAPING if hasattr(op, name)]
        weights = getattr(op, "weights", None)
        ratios = _shift_text(weights) if isinstance(weights, Weights) else ""
        return f"{type(op).__name__} {shapes} {shaping} {ratios}"


def payload_signature(half: DeviceHalf, sample: NDArray[np.int8]) -> str:
    """Names the symbols that `sample` gives, on which an encoder's time depends.

    Here weights matter, so a network that was trained again is measured again.
    """
    assert half.coder is not None
    assert half.feature is not None
    digest = hashlib.sha256(sample.tobytes())
    for op in half.graph.ops:
        weights = getattr(op, "weights", None)
        if isinstance(weights, Weights):
            digest.update(weights.values.tobytes() + weights.bias.tobytes())
    for table in (half.symbol_of, half.coder.table):
        digest.update(b"" if table is None else table.tobytes())
    form, shape = half.coder.form, half.graph.tensor(half.feature).shape
    extent = (shape, form.channel_begin, form.channels, form.height, form.width, len(form.centroids))
    return f"{half.coder.wire.name} {form.order} {extent} {digest.hexdigest()}"


def _shift_text(weights: Weights) -> str:
    """Which kinds of shifts there are: none, left, right."""
    kinds = {(shift > 0) - (shift < 0) for shift in weights.shift.tolist()}
    return f"shifts {sorted(kinds)}"


def _without_numbers(text: str) -> str:
    """C without comments, the contents of arrays, and numbers."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\{[\d\s,+-]*\}", "{}", text)
    return re.sub(r"-?\b(?:0[xX][0-9a-fA-F]+|\d+)[uUlL]*\b", "#", text)
