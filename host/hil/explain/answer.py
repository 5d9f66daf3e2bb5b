"""What a finished bundle's answers rest on: integrated gradients of its own loss, no reference network.

The loss is the cross-entropy of the true class under the logits that answered: the fused ones, or
the device's own where it answered alone. Attributions are taken with respect to the feature map at
the cut, as the server sees it (its part quantised to centroids), from a baseline of 0. Where
nothing is sent there is no cut, and they are taken with respect to the network's input.

A training attributes against its reference network instead (`hil.training.attribution`), which no
bundle contains. Both halves compute in floating point here, not with the device's int8 kernels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hil.bundle import Bundle, PayloadFormat
from hil.explain import integrated_gradients
from hil.explain.gradients import LossOf
from hil.schemes.agilenn_device import DeviceHalf as AgileHalf
from hil.schemes.halves import load_device, load_server

INTERVALS = 16


@dataclass(frozen=True)
class Importance:
    """Of every value of a map, for N samples."""

    attributions: NDArray[np.float32]
    """(N, C, h, w), signed: shares in loss(map) − loss(0)."""
    kept: int
    """Channels from 0 on that stay on the device."""
    of_input: bool
    """The map is the network's input, as nothing is cut."""

    @property
    def maps(self) -> NDArray[np.float32]:
        """(N, C, h, w) of absolute attributions."""
        return np.abs(self.attributions)

    @property
    def channels(self) -> NDArray[np.float32]:
        """(N, C) each channel's share in its sample's importance; 0 where there is none at all."""
        sums: NDArray[np.float32] = self.maps.sum(axis=(2, 3))
        whole = sums.sum(axis=1, keepdims=True)
        shares: NDArray[np.float32] = np.divide(sums, whole, out=np.zeros_like(sums), where=whole > 0)
        return shares


def importance(
    bundle: Bundle,
    images: NDArray[np.float32] | NDArray[np.uint8],
    labels: NDArray[np.int64],
    alone: NDArray[np.bool_],
    intervals: int = INTERVALS,
) -> Importance:
    """Of `images` (N, H, W, C) as a split holds them, with classes (N,); `alone`: the device answered alone.

    Raises BundleError when the bundle does not take such images.
    """
    device, payload = load_device(bundle), bundle.manifest.payload
    inputs = torch.from_numpy(bundle.manifest.input.prepare(images)).permute(0, 3, 1, 2)
    classes = torch.from_numpy(np.asarray(labels, np.int64))
    if payload is None:
        found = _attributions(inputs, lambda values: device(values), classes, intervals)
        return Importance(found, 0, of_input=True)
    by_itself = torch.from_numpy(alone)
    with torch.no_grad():
        _, features = device(inputs)
    features = torch.where(by_itself[:, None, None, None], features, _quantised(features, payload))
    answers = _Answers(bundle, device, payload, by_itself)
    found = _attributions(features, answers, classes, intervals)
    return Importance(found, payload.channel_begin, of_input=False)


class _Answers:
    """Feature maps (N, C, h, w) → the logits (N, classes) that answer."""

    def __init__(self, bundle: Bundle, device: nn.Module, payload: PayloadFormat, alone: Tensor) -> None:
        self._server = load_server(bundle)
        self._device = device
        self._alpha = bundle.manifest.alpha
        self._sent = slice(payload.channel_begin, payload.channel_begin + payload.channels)
        self._alone = alone[:, None]

    def __call__(self, features: Tensor) -> Tensor:
        remote: Tensor = self._server(features[:, self._sent])
        local = _local(self._device, features)
        if local is None:
            return remote
        return torch.where(self._alone, local, self._alpha * local + (1 - self._alpha) * remote)


def _local(device: nn.Module, features: Tensor) -> Tensor | None:
    """The device's own logits, from the channels it reads; None where it answers nothing."""
    predictor = getattr(device, "predictor", None)
    if predictor is None:
        return None
    read = features[:, : device.local_channels] if isinstance(device, AgileHalf) else features
    return cast(Tensor, predictor(read))


def _quantised(features: Tensor, payload: PayloadFormat) -> Tensor:
    """`features` with what is sent at its nearest centroids."""
    centroids = torch.tensor(payload.centroids, dtype=features.dtype)
    middles = (centroids[1:] + centroids[:-1]) / 2
    seen = features.clone()
    sent = slice(payload.channel_begin, payload.channel_begin + payload.channels)
    seen[:, sent] = centroids[torch.bucketize(features[:, sent].contiguous(), middles)]
    return seen


def _attributions(values: Tensor, logits_of: LossOf, labels: Tensor, intervals: int) -> NDArray[np.float32]:
    def loss_of(at: Tensor) -> Tensor:
        return functional.cross_entropy(logits_of(at), labels, reduction="none")

    found = integrated_gradients.attributions(values, loss_of, intervals)
    return found.detach().numpy().astype(np.float32)
