"""Every kernel that lowering may choose."""

from __future__ import annotations

from hil.deploy.kernels import cmsis, own
from hil.deploy.program import Kernel

PLAIN: tuple[Kernel, ...] = (*cmsis.KERNELS, *own.KERNELS)
"""One for every op: CMSIS-NN, and what it has not."""

SPECIALISED: tuple[Kernel, ...] = ()
"""Made for some shapes only."""
