"""Calibration: the range of every activation over sample inputs."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from hil.deploy.float_graph import FloatGraph, evaluate

Range = tuple[float, float]


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
