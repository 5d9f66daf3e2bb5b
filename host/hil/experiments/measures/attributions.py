"""Ways to attribute, on a finished bundle: what each says of the channels, and what it costs.

A bundle holds no reference network, so the judge is the deployed system itself: the cross-entropy of the
fused answer. The payload is quantised forward, and has the slope of the soft assignment backward, as in
training: without the quantiser the server half does not know its input.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from hil.bundle import Bundle
from hil.data.dataset import Split
from hil.errors import UsageError
from hil.explain import integrated_gradients, saliency
from hil.explain.agreement import completeness_gap, rank_correlation, shares, top_agreement
from hil.explain.gradients import gradient, per_channel
from hil.schemes.agilenn_device import DeviceHalf
from hil.schemes.halves import load_halves
from hil.schemes.stored_recipe import stored_recipe
from hil.training.losses import disorder, skewness
from hil.training.quantiser import soft_to_hard
from hil.training.recipe import AgileRecipe

FINEST: Final = 32
"""Intervals of the integrated gradients that the others are held against."""
BATCH: Final = 32
TIMED: Final = 16
"""Samples of the batch that is timed."""
_ROUNDS: Final = 3

Importance = Callable[[Tensor, Tensor], Tensor]
"""Features (N, C, h, w) and labels (N,) → importance (N, C)."""


class Finished:
    """A bundle's two halves as one network on feature maps, in float."""

    def __init__(self, bundle: Bundle) -> None:
        """Raises UsageError unless the bundle is AgileNN's, BundleError where it is damaged."""
        device, self._server = load_halves(bundle)
        if not isinstance(device, DeviceHalf):
            raise UsageError(
                f"{bundle.manifest.scheme} has no channels that stay and channels that go", "take agilenn"
            )
        self._device = device
        self._form = bundle.manifest.input
        self._alpha = bundle.manifest.alpha
        payload = bundle.manifest.payload
        assert payload is not None
        self._centroids = torch.tensor(payload.centroids)
        self._hardness = stored_recipe(bundle.manifest, AgileRecipe).hardness
        self.local = device.local_channels

    @torch.no_grad()
    def features(self, images: NDArray[Any]) -> Tensor:
        """Images (N, H, W, C) as a split holds them → the feature map (N, C, h, w)."""
        return self._device.extract(torch.from_numpy(self._form.prepare(images)).permute(0, 3, 1, 2))

    def logits(self, features: Tensor) -> Tensor:
        """The fused answer's (N, classes)."""
        local: Tensor = self._device.predictor(features[:, : self.local])
        sent = soft_to_hard(features[:, self.local :], self._centroids, self._hardness)
        remote: Tensor = self._server(sent)
        return self._alpha * local + (1 - self._alpha) * remote

    def loss(self, features: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy (N,) of each sample."""
        return cross_entropy(self.logits(features), labels, reduction="none")


def ways(judge: Finished) -> Mapping[str, Importance]:
    """Every way to attribute, by name."""

    def integrated(intervals: int) -> Importance:
        def importance(features: Tensor, labels: Tensor) -> Tensor:
            return integrated_gradients.importance(features, lambda f: judge.loss(f, labels), intervals)

        return importance

    def slope(features: Tensor, labels: Tensor) -> Tensor:
        return saliency.importance(features, lambda f: judge.loss(f, labels))

    def product(features: Tensor, labels: Tensor) -> Tensor:
        own = gradient(features, lambda f: judge.loss(f, labels), differentiable=False)
        return per_channel(own * features)

    by_intervals = {f"ig-{count}": integrated(count) for count in (1, 2, 4, 8, FINEST)}
    return {"saliency": slope, "gradient-input": product, **by_intervals}


@dataclass(frozen=True)
class Said:
    """What one way says, as means over the samples, and beside the finest integrated gradients."""

    samples: int
    skewness: float
    """Share of the importance that the local channels hold."""
    skewness_any: float
    """The same of the most important channels, wherever they lie."""
    disorder: float
    rank_correlation: float
    top_agreement: float
    completeness_gap: float | None
    """Median; None where the way has no such axiom."""
    judge_accuracy: float
    by_channel: tuple[float, ...]
    """Mean share of each channel."""
    by_channel_finest: tuple[float, ...]


def said(way: str, judge: Finished, split: Split) -> Said:
    """What `way` says of the samples of `split`. Raises UsageError on an unknown way."""
    attribute, finest = ways(judge)[way], ways(judge)[f"ig-{FINEST}"]
    parts: dict[str, list[Tensor]] = {}
    for start in range(0, len(split), BATCH):
        part = slice(start, start + BATCH)
        features, labels = judge.features(split.images[part]), torch.from_numpy(split.labels[part])
        own, fine = attribute(features, labels), finest(features, labels)
        found = {
            "own": shares(own),
            "fine": shares(fine),
            "skewness": skewness(own, judge.local),
            "any": shares(own).topk(judge.local, dim=1).values.sum(dim=1),
            "disorder": disorder(own, judge.local),
            "rank": rank_correlation(own, fine),
            "top": top_agreement(own, fine, judge.local),
            "right": (judge.logits(features).argmax(1) == labels).float(),
        }
        if way.startswith("ig-"):
            found["gap"] = _gap(judge, features, labels, int(way.removeprefix("ig-")))
        for name, values in found.items():
            parts.setdefault(name, []).append(values.detach())
    whole = {name: torch.cat(values).double() for name, values in parts.items()}
    mean = {name: float(values.mean()) for name, values in whole.items()}
    return Said(
        len(split), mean["skewness"], mean["any"], mean["disorder"], mean["rank"], mean["top"],
        float(whole["gap"].median()) if "gap" in whole else None, mean["right"],
        tuple(whole["own"].mean(dim=0).tolist()), tuple(whole["fine"].mean(dim=0).tolist()),
    )  # fmt: skip


def _gap(judge: Finished, features: Tensor, labels: Tensor, intervals: int) -> Tensor:
    def loss(values: Tensor) -> Tensor:
        return judge.loss(values, labels)

    signed = integrated_gradients.attributions(features, loss, intervals)
    with torch.no_grad():
        change = loss(features) - loss(torch.zeros_like(features))
    return completeness_gap(signed, change)


@dataclass(frozen=True)
class Cost:
    """CPU milliseconds a sample, of one thread, in the fastest of some rounds; both took turns."""

    own_ms: float
    saliency_ms: float


def cost(way: str, judge: Finished, split: Split) -> Cost:
    """What one batch costs by `way`, and by gradient saliency."""
    features = judge.features(split.images[:TIMED])
    labels = torch.from_numpy(split.labels[:TIMED])
    taken: dict[str, list[float]] = {way: [], "saliency": []}
    for round_ in range(_ROUNDS + 1):
        for name in taken:
            began = time.process_time()
            ways(judge)[name](features, labels)
            if round_:  # the first warms up
                taken[name].append(time.process_time() - began)
    per_sample = {name: 1000 * min(times) / len(labels) for name, times in taken.items()}
    return Cost(per_sample[way], per_sample["saliency"])
