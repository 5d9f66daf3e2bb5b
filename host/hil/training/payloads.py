"""What a trained network sends, and the coder that packs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hil.bundle import InputFormat, PayloadFormat
from hil.codec.coder import Coder, make_coder
from hil.training.batches import Batches
from hil.training.codec_tables import PREFIX, codec_tables
from hil.training.quantiser import nearest
from hil.training.recipe import AgileRecipe
from hil.training.split_network import SplitNetwork

_STATIC = ("range", "huffman")
_TABLE_SAMPLES = 4096
"""More change no table: of AgileNN's CIFAR-10 payload that is 4 million symbols a channel."""


@dataclass(frozen=True)
class Packing:
    """What crosses the link, and the bundle's tensors under `codec.` that pack it."""

    form: PayloadFormat
    tensors: dict[str, NDArray[Any]]

    def coder(self) -> Coder:
        """As both sides will have it."""
        plain = {name.removeprefix(PREFIX): table for name, table in self.tensors.items()}
        return make_coder(self.form, plain)


def packing(network: SplitNetwork, form: InputFormat, training: Batches, recipe: AgileRecipe) -> Packing:
    """Of a trained `network`; tables come from `training`."""
    local = recipe.local_channels
    payload = PayloadFormat(
        channel_begin=local,
        channels=recipe.channels - local,
        height=form.height // 3,
        width=form.width // 3,
        centroids=network.quantiser.ascending(),
        codec=recipe.codec,
        progressive=recipe.progressive,
    )
    return Packing(payload, _tables(network, training, payload))


def symbols(network: SplitNetwork, features: Tensor) -> NDArray[np.uint8]:
    """Feature maps (N, C, h, w) → what is sent of them, (N, remote channels, h · w)."""
    centroids = torch.tensor(network.quantiser.ascending(), device=features.device)
    sent = nearest(network.remote_channels(features), centroids).flatten(2)
    found: NDArray[np.uint8] = sent.to(torch.uint8).cpu().numpy()
    return found


@torch.no_grad()
def _tables(network: SplitNetwork, training: Batches, payload: PayloadFormat) -> dict[str, NDArray[Any]]:
    """From float features of `training`; none where the codec adapts, or packs without statistics.

    Every n-th sample is looked at where there are many, since a split may be sorted by class.
    """
    if payload.codec not in _STATIC:
        return {}
    network.eval()
    stride = -(-len(training.split) // _TABLE_SAMPLES)
    sent, begin = [], 0
    for images, _ in training.in_order():
        chosen = images[-begin % stride :: stride]
        begin += len(images)
        if len(chosen):
            sent.append(symbols(network, network.device.extract(training.upscaled(chosen))))
    return codec_tables(payload.codec, np.concatenate(sent), payload)
