"""The payload's quantiser: soft-to-hard vector quantisation (Agustsson et al., NeurIPS 2017) to scalars."""

from __future__ import annotations

from functools import reduce
from typing import Any, cast

import torch
from torch import Tensor, nn

# exp(-40) is nothing beside 1 and still no denormal, which would be a hundred times as slow.
_SMALLEST_EXPONENT = -40.0
_CROWDING = 1.6


def nearest(values: Tensor, ascending: Tensor) -> Tensor:
    """Index (int64, the shape of `values`) of each value's nearest centroid; of two, the lower."""
    # A few comparisons of whole maps are ten times as fast as torch.bucketize.
    index = torch.zeros_like(values, dtype=torch.int64)
    for middle in (ascending[1:] + ascending[:-1]) / 2:
        index += values > middle
    return index


def assign(values: Tensor, centroids: Tensor, hardness: float) -> tuple[Tensor, list[Tensor]]:
    """Soft assignment: the weighted mean of the centroids, and each one's weight, all shaped as `values`.

    Weights are softmax(−hardness·distance²). One centroid at a time: a map stays in the processor's
    cache, a map times all centroids does not.
    """
    squares = [(values - centroid).square_() for centroid in centroids]
    lowest = reduce(torch.minimum, squares)
    weights = [
        square.neg_().add_(lowest).mul_(hardness).clamp_(min=_SMALLEST_EXPONENT).exp_() for square in squares
    ]
    scale = reduce(torch.add, weights).reciprocal_()
    mean = torch.zeros_like(values)
    for weight, centroid in zip(weights, centroids, strict=True):
        mean.addcmul_(weight.mul_(scale), centroid)
    return mean, weights


class _SoftToHard(torch.autograd.Function):
    """Forward the nearest centroid; backward as if the soft assignment had been the forward."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, centroids: Tensor, hardness: float) -> Tensor:
        ctx.save_for_backward(values, centroids)
        ctx.hardness = hardness
        ascending = centroids.sort().values
        return ascending[nearest(values, ascending)]

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, Tensor, None]:
        """With p = softmax(−h·(v − c)²) and m = Σ p·c:

        ∂m/∂v = 2h·Σ p·(c − m)·c  and  ∂m/∂c = p + 2h·p·(c − m)·(v − c).
        """
        values, centroids = ctx.saved_tensors
        hardness: float = ctx.hardness
        (slope,) = slopes
        mean, weights = assign(values, centroids, hardness)
        by_value, by_centroid = torch.zeros_like(values), torch.zeros_like(centroids)
        for index, (weight, centroid) in enumerate(zip(weights, centroids, strict=True)):
            pull = 2 * hardness * weight * (centroid - mean)
            by_value.add_(pull * centroid)
            by_centroid[index] = ((weight + pull * (values - centroid)) * slope).sum()
        return by_value * slope, by_centroid, None


def soft_to_hard(values: Tensor, centroids: Tensor, hardness: float) -> Tensor:
    """Any shape → the same shape, each value its nearest centroid; differentiable as the soft assignment."""
    chosen = _SoftToHard.apply(values.contiguous(), centroids, hardness)  # type: ignore[no-untyped-call]
    return cast(Tensor, chosen)


class Quantiser(nn.Module):
    """Forward the nearest centroid, backward a softmax over squared distances.

    Each centroid is 6·sigmoid(parameter), so that it stays in the range of ReLU6: "the key to
    stable training" (facts, R).
    """

    def __init__(self, centroids: int, hardness: float) -> None:
        super().__init__()
        self.hardness = hardness
        # Denser towards 0: behind a norm and ReLU6 few values exceed 2, and skewness lowers the rest.
        start = ((torch.arange(centroids) + 0.1) / centroids) ** _CROWDING
        self.parameter = nn.Parameter(torch.logit(start))

    def centroids(self) -> Tensor:
        """(centroids,), in the parameters' order."""
        return 6 * torch.sigmoid(self.parameter)

    def forward(self, values: Tensor) -> Tensor:
        """Any shape, in [0, 6] → the same shape, each value a centroid; differentiable."""
        return soft_to_hard(values, self.centroids(), self.hardness)

    @torch.no_grad()
    def ascending(self) -> tuple[float, ...]:
        """The centroids as a bundle holds them."""
        return tuple(sorted(self.centroids().tolist()))
