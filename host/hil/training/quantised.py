"""A device half that answers in training as it will in int8."""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hil.deploy.calibrate import RANGES, Range, observe
from hil.deploy.capture import capture, fold, trace
from hil.deploy.quantise import activations
from hil.schemes.agilenn_device import DeviceHalf
from hil.training import fake_quantise


class Quantised(nn.Module):
    """`device` with its values on int8's grid and its norms' statistics fixed; its weights are shared.

    `shape` is the input's (height, width, channels). Ranges begin as calibration finds them on
    `samples` (N, height, width, channels), and stay. Raises CaptureError.
    """

    def __init__(self, device: DeviceHalf, shape: tuple[int, int, int], samples: NDArray[np.float32]) -> None:
        super().__init__()
        still = copy.deepcopy(device).cpu()
        self._program = trace(still, shape)
        found = observe(capture(still, shape), samples)
        self._names = tuple(found)
        self.device = device
        self.local_channels = device.local_channels
        # Never moved: every step needs them as plain numbers.
        self.held = nn.Module()
        self.held.register_buffer("ranges", torch.tensor(list(found.values()), dtype=torch.float64))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, inputs, H, W) → logits (N, classes) and the feature map."""
        state = {**dict(self.device.named_parameters()), **dict(self.device.named_buffers())}
        # In 16 bits a step of int8 could not be told from the next.
        with torch.autocast(x.device.type, enabled=False):
            graph = fold(self._program, state)
            values = fake_quantise.evaluate(graph, activations(graph, self._ranges()), x.float())
        logits, feature = graph.outputs
        assert logits is not None
        assert feature is not None
        return values[logits].flatten(1), values[feature]

    def _ranges(self) -> dict[str, Range]:
        bounds: list[list[float]] = self.held.get_buffer("ranges").tolist()
        return {name: (low, high) for name, (low, high) in zip(self._names, bounds, strict=True)}

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """The ranges as a bundle holds them."""
        return {f"{RANGES}.{name}": np.array(bounds) for name, bounds in self._ranges().items()}
