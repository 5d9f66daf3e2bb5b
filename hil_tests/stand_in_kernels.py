"""Kernels that tests put beside the real ones, and a device half to try them on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hil.deploy.graph import Clamp, Graph, Op, Pad, Slice, Tensor
from hil.deploy.program import Code, DeviceHalf, Sends, Site


@dataclass(frozen=True)
class StandIn:
    """`kinds` of ops in a row, by C that copies `source` lines."""

    name: str
    kinds: tuple[type[Op], ...]
    lines: tuple[str, ...] = ("return ARM_CMSIS_NN_SUCCESS;",)
    scratch: int = 0
    sends = Sends.NOTHING

    def covers(self, half: DeviceHalf, first: int) -> int:
        """See `Kernel`."""
        found = tuple(type(op) for op in half.graph.ops[first : first + len(self.kinds)])
        return len(self.kinds) if found == self.kinds else 0

    def scratch_bytes(self, half: DeviceHalf, ops: tuple[Op, ...]) -> int:
        """See `Kernel`."""
        return self.scratch

    def emit(self, site: Site) -> Code:
        """See `Kernel`. `$in` and `$out` in the lines are the first input and the last output."""
        ends = {"$in": site.at(site.ops[0].inputs[0]), "$out": site.at(site.ops[-1].output)}
        lines = self.lines
        for name, place in ends.items():
            lines = tuple(line.replace(name, place) for line in lines)
        return Code(lines)


def chain(extent: int = 6, low: int = -50) -> DeviceHalf:
    """Pad, clamp, slice: ops without weights on a map of `extent` × `extent` × 4."""
    shapes = {"in": (extent, extent, 4), "wide": (extent + 2, extent + 2, 4)}
    shapes |= {"low": shapes["wide"], "out": (extent + 2, extent + 2, 3)}
    tensors = {name: Tensor(name, shape, 0.1, 3) for name, shape in shapes.items()}
    ops = (
        Pad(name="pad", inputs=("in",), output="wide", amounts=(1, 1, 1, 1)),
        Clamp(name="clamp", inputs=("wide",), output="low", activation=(low, 50)),
        Slice(name="slice", inputs=("low",), output="out", begin=1, end=4),
    )
    return DeviceHalf(Graph(tensors, ops, "in", "out", None), symbol_of=np.zeros(256, np.uint8))
