"""Calibration: the range of every activation over sample inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hil.bundle import Bundle
from hil.deploy.float_graph import FloatGraph, evaluate
from hil.errors import BundleError

Range = tuple[float, float]

RANGES = "ranges"
"""Prefix of a bundle's tensors, one (2,) per activation, that its training has fixed."""


def observe(graph: FloatGraph, samples: NDArray[np.float32]) -> dict[str, Range]:
    """Minimum and maximum of every tensor, widened to hold 0.

    `samples` are prepared inputs (N, height, width, channels).
    """
    inputs = torch.from_numpy(samples).permute(0, 3, 1, 2).double()
    with torch.no_grad():
        values = evaluate(graph, inputs)
    return {
        name: (min(0.0, float(value.min())), max(0.0, float(value.max()))) for name, value in values.items()
    }


def recorded_ranges(bundle: Bundle) -> dict[str, Range] | None:
    """Those with which the training of `bundle` ended; None where calibration finds them.

    Raises BundleError when one is no range.
    """
    found = {name: _range(name, held) for name, held in bundle.part(RANGES).items()}
    return found or None


def _range(name: str, held: NDArray[Any]) -> Range:
    if held.shape != (2,) or not np.isfinite(held).all() or not held[0] <= 0.0 <= held[1]:
        raise BundleError(f"the bundle's range of {name!r} is {held.tolist()}", "train it again")
    return float(held[0]), float(held[1])
