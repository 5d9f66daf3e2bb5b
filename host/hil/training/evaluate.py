"""What a trained network does on the test split, and what its payloads weigh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hil.codec.coder import Coder
from hil.schemes import prefix
from hil.training import payloads
from hil.training.attribution import Attributor
from hil.training.batches import Batches
from hil.training.losses import disorder, skewness
from hil.training.reference import Judge, Reference
from hil.training.split_network import Outputs, SplitNetwork

_FINE_INTERVALS = 16


@dataclass(frozen=True)
class Evaluation:
    """Means over the test split, and the fused prediction (N,) int64 of every sample."""

    metrics: dict[str, float]
    predictions: NDArray[np.int64]

    @classmethod
    def none(cls) -> Self:
        """Where nothing has been looked at."""
        return cls({}, np.zeros(0, np.int64))


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


def _payload_bytes(network: SplitNetwork, features: Tensor, coder: Coder) -> Tensor:
    """Encoded size of each sample's payload."""
    sent = payloads.symbols(network, features)
    return torch.tensor([float(len(coder.encode(payload.reshape(-1)))) for payload in sent])


def _at_prefixes(network: SplitNetwork, out: Outputs, coder: Coder) -> dict[str, Tensor]:
    """Fused logits where only the first channels of a payload arrive, if it may be cut short."""
    if not coder.form.progressive:
        return {}
    found = {}
    for name, complete in prefix.measured(coder.form.channels).items():
        arrived = torch.full((len(out.local),), complete)
        found[name] = network.answer(out.local, out.features, arrived).fused
    return found


@torch.no_grad()
def evaluate(
    network: SplitNetwork,
    reference: Reference,
    judge: Judge,
    attributor: Attributor,
    batches: Batches,
    coder: Coder,
) -> Evaluation:
    """Runs `network` over `batches` as it will be deployed: norms frozen, payload hard-quantised.

    Metrics are means over the samples, but for `payload_bytes_p95`, which LZW does not have. A
    progressive payload also has `accuracy_at_25`, the fused answer's from the first 25 % of the
    remote channels, and others like it. `skewness_any_channels` lets the top k lie anywhere;
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
            **_at_prefixes(network, out, coder),
        }
        for name in ("reference_accuracy", "judge_accuracy"):
            heads[name] = judge.body(heads[name])
        part = {name: (logits.argmax(1) == labels).float() for name, logits in heads.items()}
        part |= _skewness_figures(attributor, out.features, labels, network.device.local_channels)
        part["payload_bytes"] = _payload_bytes(network, out.features, coder)
        for name, values in part.items():
            figures.setdefault(name, []).append(values.cpu())
        predictions.append(out.fused.argmax(1).cpu())
    metrics = {name: float(torch.cat(values).double().mean()) for name, values in figures.items()}
    if coder.form.codec != "lzw":  # whose bundles are older than this figure, and keep their bytes
        metrics["payload_bytes_p95"] = float(np.percentile(torch.cat(figures["payload_bytes"]).numpy(), 95))
    return Evaluation(metrics, torch.cat(predictions).numpy())
