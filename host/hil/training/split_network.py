"""Both halves with what lies between them, as one network that can be trained."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hil.schemes.agilenn_device import DeviceHalf
from hil.schemes.agilenn_server import ServerHalf
from hil.training.nested import keep
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

    def fix_alpha(self, alpha: float) -> None:
        """Training leaves the local half's share at `alpha` from now on, which lies between 0 and 1."""
        shares = self.temperature * torch.log(torch.tensor([alpha, 1 - alpha], dtype=torch.float64))
        self.shares.requires_grad_(False).copy_(shares)

    def remote_channels(self, features: Tensor) -> Tensor:
        """What the quantiser is given of the feature map (N, C, h, w)."""
        return features[:, self.device.local_channels :]

    def forward(self, x: Tensor, complete: Tensor | None = None) -> Outputs:
        """(N, inputs, H, W) → everything a loss may want; `complete` as in `answer`."""
        local, features = self.device(x)
        # Importance and payload are no matter for 16 bits.
        return self.answer(local, features.float(), complete)

    def answer(self, local: Tensor, features: Tensor, complete: Tensor | None = None) -> Outputs:
        """What comes of logits (N, classes) and feature map (N, C, h, w).

        `complete` (N,) says how many of its remote channels reach the server half; None for all.
        """
        values = self.quantiser(self.remote_channels(features))
        remote = self.server(values if complete is None else keep(values, complete))
        alpha = self.alpha()
        return Outputs(alpha * local + (1 - alpha) * remote, local, remote, features)
