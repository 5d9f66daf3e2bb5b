"""From a trained module to the arrays that a bundle holds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn


def arrays(prefix: str, module: nn.Module) -> dict[str, NDArray[Any]]:
    """A state dict as a bundle holds it: float32, without the norms' counters."""
    return {
        f"{prefix}.{name}": value.detach().cpu().numpy().astype(np.float32)
        for name, value in module.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
