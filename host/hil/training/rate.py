"""The rate of payloads in training: what a static coder will spend on a symbol, as a loss."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor

from hil.codec.frequencies import TOTAL
from hil.training.quantiser import Quantiser, assign, nearest


def code_lengths(counts: Tensor) -> Tensor:
    """Bits (channels, alphabet) of an ideal code for symbols that occur like `counts` (channels, alphabet).

    None is longer than that of the range coder's least frequency.
    """
    shares = counts / counts.sum(dim=1, keepdim=True)
    return -torch.log2(shares.clamp(min=1 / TOTAL))


class _Rate(torch.autograd.Function):
    """Forward the bits of the hard symbols; backward those that the soft assignment expects.

    As the quantiser does it: the estimate is that of what will be sent, the slope one that a step can
    follow. The code is that of the batch's hard symbols, and counts as a constant.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor, ascending: Tensor, hardness: float) -> Tensor:
        symbols = nearest(values, ascending)
        counts = torch.stack([(symbols == symbol).sum((0, 2, 3)) for symbol in range(len(ascending))], dim=1)
        lengths = code_lengths(counts.to(values.dtype))
        ctx.save_for_backward(values, ascending, lengths)
        ctx.hardness = hardness
        return (counts * lengths).sum() / values.numel()

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, Tensor, None]:
        """With p = softmax(−h·(v − c)²), m = Σ p·c, code lengths L and E = Σ p·L:

        ∂E/∂v = 2h·Σ p·(c − m)·L  and  ∂E/∂c = 2h·p·(v − c)·(L − E).
        """
        values, ascending, lengths = ctx.saved_tensors
        mean, weights = assign(values, ascending, ctx.hardness)
        bits = lengths.T[:, None, :, None, None]  # one (1, channels, 1, 1) a symbol
        expected = torch.zeros_like(values)
        for weight, length in zip(weights, bits, strict=True):
            expected.add_(weight * length)
        by_value, by_centroid = torch.zeros_like(values), torch.zeros_like(ascending)
        for symbol, (weight, centroid) in enumerate(zip(weights, ascending, strict=True)):
            by_value.add_(weight * (centroid - mean) * bits[symbol])
            by_centroid[symbol] = (weight * (values - centroid) * (bits[symbol] - expected)).sum()
        scale = slopes[0] * (2 * ctx.hardness / values.numel())
        return by_value * scale, by_centroid * scale, None


def bits_per_symbol(values: Tensor, quantiser: Quantiser) -> Tensor:
    """Mean bits (scalar) of the symbols that `quantiser` makes of `values` (N, channels, h, w).

    By an ideal code for this batch's symbols, one a channel, as the range coder has it; end and
    rounding of a payload are not in it. Differentiable in `values` and in the centroids.
    """
    ascending = quantiser.centroids().sort().values
    bits = _Rate.apply(values.contiguous(), ascending, quantiser.hardness)  # type: ignore[no-untyped-call]
    return cast(Tensor, bits)
