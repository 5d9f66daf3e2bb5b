"""Both halves with what lies between them, as one network that can be trained."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hil.schemes.agilenn_device import DeviceHalf
from hil.schemes.agilenn_server import ServerHalf
from hil.training.quantiser import Quantiser


@dataclass(frozen=True)
class Outputs:
    """Logits (N, classes), and the feature map (N, C, h, w) they come from."""

    fused: Tensor
    local: Tensor
    remote: Tensor
    features: Tensor


class SplitNetwork(nn.Module):
    """Device half, quantiser, server half, fusion."""

    def __init__(
        self, device: DeviceHalf, quantiser: Quantiser, server: ServerHalf, temperature: float
    ) -> None:
        super().__init__()
        self.device = device
        self.quantiser = quantiser
        self.server = server
        self.temperature = temperature
        self.shares = nn.Parameter(torch.zeros(2))

    def alpha(self) -> Tensor:
        """The local half's share, a scalar: softmax of two learned scalars over the temperature."""
        return torch.softmax(self.shares / self.temperature, dim=0)[0]

    def forward(self, x: Tensor) -> Outputs:
        """(N, inputs, H, W) → everything a loss may want."""
        local, features = self.device(x)
        features = features.float()  # importance and payload are no matter for 16 bits
        remote = self.server(self.quantiser(features[:, self.device.local_channels :]))
        alpha = self.alpha()
        return Outputs(alpha * local + (1 - alpha) * remote, local, remote, features)
