"""Our sum of two maps (mcu/kernels/hil_add.h)."""

from __future__ import annotations

from dataclasses import dataclass

from hil.deploy.graph import Add, Op
from hil.deploy.kernels.text import fields
from hil.deploy.program import Code, DeviceHalf, Sends, Site

_HALF = 1 << 30
_LARGEST_LEFT_SHIFT = 20
"""A value less its zero point has 9 bits; doubled and shifted it must stay within 32."""
_LARGEST_OUT_SHIFT = 22
"""The zero point, shifted left by this, is added to sums below 2^30."""


@dataclass(frozen=True)
class Addition:
    """One sum of two maps."""

    name = "hil_add"
    sends = Sends.NOTHING

    def covers(self, half: DeviceHalf, first: int) -> int:
        """See `Kernel`."""
        op = half.graph.ops[first]
        return int(
            isinstance(op, Add)
            and 1 <= op.left_shift <= _LARGEST_LEFT_SHIFT
            and max(op.shifts) <= 0
            and -_LARGEST_OUT_SHIFT <= op.output_shift <= 0
        )

    def scratch_bytes(self, half: DeviceHalf, ops: tuple[Op, ...]) -> int:
        """See `Kernel`."""
        return 0

    def leads(self, half: DeviceHalf, ops: tuple[Op, ...]) -> dict[tuple[str, str], int]:
        """See `Overlapping`: values are read before their sums are written."""
        return {(op.output, name): 0 for op in ops for name in op.inputs}

    def emit(self, site: Site) -> Code:
        """See `Kernel`."""
        op = site.ops[0]
        assert isinstance(op, Add)
        output = site.half.graph.tensor(op.output)
        # The larger scale first, which is a half of the common one.
        order = sorted((0, 1), key=lambda i: op.multipliers[i] != _HALF)
        names = [op.inputs[i] for i in order]
        scalars = {
            "count": output.elements,
            "left_shift": op.left_shift,
            "out_zero": output.zero_point,
            "out_multiplier": op.output_multiplier,
            "out_shift": -op.output_shift,
            "low": op.activation[0],
            "high": op.activation[1],
        }
        pairs = {
            "zero": [site.half.graph.tensor(name).zero_point for name in names],
            "multiplier": [op.multipliers[i] for i in order],
            "shift": [-op.shifts[i] for i in order],
        }
        body = (
            "static const hil_add_t sum = {",
            *fields(scalars),
            *(f"    .{name} = {{{', '.join(map(str, values))}}}," for name, values in pairs.items()),
            "};",
            f"hil_add(&sum, {site.at(names[0])}, {site.at(names[1])}, {site.at(op.output)});",
            "return ARM_CMSIS_NN_SUCCESS;",
        )
        return Code(body, '#include "hil_add.h"\n\n')


KERNELS = (Addition(),)
