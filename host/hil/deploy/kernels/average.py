"""Our average over a whole map (mcu/kernels/hil_average.h)."""

from __future__ import annotations

from dataclasses import dataclass

from hil.deploy.graph import AveragePool, Op
from hil.deploy.kernels.text import fields
from hil.deploy.program import Code, DeviceHalf, Sends, Site


@dataclass(frozen=True)
class Average:
    """One average pool whose window is the map."""

    name = "hil_average"
    sends = Sends.NOTHING

    def covers(self, half: DeviceHalf, first: int) -> int:
        """See `Kernel`."""
        op = half.graph.ops[first]
        if not isinstance(op, AveragePool) or op.padding != (0, 0):
            return 0
        return int(op.kernel == half.graph.tensor(op.inputs[0]).shape[:2])

    def scratch_bytes(self, half: DeviceHalf, ops: tuple[Op, ...]) -> int:
        """See `Kernel`."""
        return 0

    def leads(self, half: DeviceHalf, ops: tuple[Op, ...]) -> dict[tuple[str, str], int]:
        """See `Overlapping`: a channel's pixels are read before its average is written over the first."""
        return {(op.output, op.inputs[0]): 0 for op in ops}

    def emit(self, site: Site) -> Code:
        """See `Kernel`."""
        op = site.ops[0]
        assert isinstance(op, AveragePool)
        height, width, channels = site.half.graph.tensor(op.inputs[0]).shape
        low, high = op.activation
        layer = {"pixels": height * width, "channels": channels, "low": low, "high": high}
        body = (
            "static const hil_average_t average = {",
            *fields(layer),
            "};",
            f"hil_average(&average, {site.at(op.inputs[0])}, {site.at(op.output)});",
            "return ARM_CMSIS_NN_SUCCESS;",
        )
        return Code(body, '#include "hil_average.h"\n\n')


KERNELS = (Average(),)
