"""Ops that CMSIS-NN has no kernel for: pad, clamp, channel slice (mcu/kernels)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hil.deploy.graph import Clamp, Op, Pad, Slice
from hil.deploy.program import Code, DeviceHalf, Sends, Site


@dataclass(frozen=True)
class Own:
    """One op by a C function of ours with plain arguments."""

    op: type[Op]
    name: str
    arguments: Callable[[Site, Any], list[Any]]
    sends = Sends.NOTHING

    def covers(self, half: DeviceHalf, first: int) -> int:
        """See `Kernel`."""
        return int(isinstance(half.graph.ops[first], self.op))

    def scratch_bytes(self, half: DeviceHalf, ops: tuple[Op, ...]) -> int:
        """See `Kernel`."""
        return 0

    def leads(self, half: DeviceHalf, ops: tuple[Op, ...]) -> dict[tuple[str, str], int]:
        """See `Overlapping`: clamp and slice write no further than they have read, pad does."""
        return {} if self.op is Pad else {(op.output, op.inputs[0]): 0 for op in ops}

    def emit(self, site: Site) -> Code:
        """See `Kernel`."""
        op = site.ops[0]
        middle = ", ".join(str(argument) for argument in self.arguments(site, op))
        call = f"{self.name}({site.at(op.inputs[0])}, {middle}, {site.at(op.output)});"
        return Code((call, "return ARM_CMSIS_NN_SUCCESS;"))


def _pad(site: Site, op: Pad) -> list[Any]:
    graph = site.half.graph
    return [*graph.tensor(op.inputs[0]).shape, *op.amounts, graph.tensor(op.output).zero_point]


def _clamp(site: Site, op: Clamp) -> list[Any]:
    return [site.half.graph.tensor(op.output).elements, *op.activation]


def _slice(site: Site, op: Slice) -> list[Any]:
    height, width, channels = site.half.graph.tensor(op.inputs[0]).shape
    return [height * width, channels, op.begin, op.end]


KERNELS = (
    Own(Pad, "hil_pad_s8", _pad),
    Own(Clamp, "hil_clamp_s8", _clamp),
    Own(Slice, "hil_slice_channels_s8", _slice),
)
