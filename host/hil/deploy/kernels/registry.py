"""Every kernel that lowering may choose."""

from __future__ import annotations

from hil.deploy.kernels import cmsis, convolve, depthwise, own
from hil.deploy.program import Kernel

PLAIN: tuple[Kernel, ...] = (*cmsis.KERNELS, *own.KERNELS)
"""One for every op: CMSIS-NN, and what it has not."""

SPECIALISED: tuple[Kernel, ...] = (*convolve.KERNELS, *depthwise.KERNELS)
"""Made for some shapes only."""
