"""What a trained network does on the test split, and what its payloads weigh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hil.codec import lzw
from hil.training.attribution import Attributor
from hil.training.batches import Batches
from hil.training.losses import disorder, skewness
from hil.training.quantiser import nearest
from hil.training.reference import Judge, Reference
from hil.training.split_network import SplitNetwork

_FINE_INTERVALS = 16


@dataclass(frozen=True)
class Evaluation:
    """Means over the test split, and the fused prediction (N,) int64 of every sample."""

    metrics: dict[str, float]
    predictions: NDArray[np.int64]


def _skewness_figures(
    attributor: Attributor, features: Tensor, labels: Tensor, local: int
) -> dict[str, Tensor]:
    """Per sample: as trained for, and two ways of looking at it that training did not aim at."""
    importance = attributor.importance(features, labels)
    fine = attributor.importance(features, labels, intervals=_FINE_INTERVALS)
    best = importance.topk(local, dim=1).values.sum(dim=1) / (importance.sum(dim=1) + 1e-12)
    return {
        "skewness": skewness(importance, local),
        "skewness_any_channels": best,
        "skewness_fine": skewness(fine, local),
        "disorder": disorder(importance, local),
    }


def _payload_bytes(network: SplitNetwork, features: Tensor) -> Tensor:
    """Encoded size of each sample's payload."""
    centroids = torch.tensor(network.quantiser.ascending(), device=features.device)
    sent = nearest(features[:, network.device.local_channels :], centroids).flatten(1)
    payloads = sent.to(torch.uint8).cpu().numpy()
    return torch.tensor([float(len(lzw.encode(payload, len(centroids)))) for payload in payloads])


@torch.no_grad()
def evaluate(
    network: SplitNetwork, reference: Reference, judge: Judge, attributor: Attributor, batches: Batches
) -> Evaluation:
    """Runs `network` over `batches` as it will be deployed: norms frozen, payload hard-quantised.

    Metrics are means over the samples. `skewness_any_channels` lets the top k lie anywhere;
    `skewness_fine` integrates gradients over 16 intervals; `judge_accuracy` is the re-rooted
    reference's on the final feature map, and says how far its judgement can still be trusted.
    """
    network.eval()
    figures: dict[str, list[Tensor]] = {}
    predictions = []
    for images, labels in batches.in_order():
        out = network(batches.upscaled(images))
        heads = {
            "accuracy": out.fused,
            "local_accuracy": out.local,
            "remote_accuracy": out.remote,
            "reference_accuracy": reference.stem(images),
            "judge_accuracy": judge.mapping(out.features),
        }
        for name in ("reference_accuracy", "judge_accuracy"):
            heads[name] = judge.body(heads[name])
        part = {name: (logits.argmax(1) == labels).float() for name, logits in heads.items()}
        part |= _skewness_figures(attributor, out.features, labels, network.device.local_channels)
        part["payload_bytes"] = _payload_bytes(network, out.features)
        for name, values in part.items():
            figures.setdefault(name, []).append(values.cpu())
        predictions.append(out.fused.argmax(1).cpu())
    metrics = {name: float(torch.cat(values).double().mean()) for name, values in figures.items()}
    return Evaluation(metrics, torch.cat(predictions).numpy())
