"""Every kernel that lowering may choose."""

from __future__ import annotations

from hil.deploy.kernels import add, average, cmsis, convolve, depthwise, own
from hil.deploy.kernels.front import kernel as front
from hil.deploy.program import Kernel

PLAIN: tuple[Kernel, ...] = (*cmsis.KERNELS, *own.KERNELS)
"""One for every op: CMSIS-NN, and what it has not."""

SPECIALISED: tuple[Kernel, ...] = (
    *front.KERNELS,
    *convolve.KERNELS,
    *depthwise.KERNELS,
    *add.KERNELS,
    *average.KERNELS,
)
"""Made for some shapes only."""
