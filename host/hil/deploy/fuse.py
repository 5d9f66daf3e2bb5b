"""Integer fusion and the centroid table: what the generated constants mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hil.deploy.deployment import Fusion
from hil.deploy.graph import Tensor
from hil.wire.protocol import REMOTE_LOGIT_FRACTION_BITS

PRODUCT_MAX = 1 << 29
"""Bound of each product, so that their sum fits int32."""


def make_fusion(alpha: float, logits: Tensor | None) -> Fusion:
    """Multipliers for alpha·local + (1 − alpha)·remote in one common unit.

    `local` is int8 with `logits`' scale; `remote` is int16 with 8 fraction bits. Without local logits
    there is nothing to weigh, and the answer is the remote one's whatever `alpha` is.
    """
    if logits is None:
        return Fusion(0, 0, 1)
    local_gain = alpha * logits.scale
    remote_gain = (1.0 - alpha) / (1 << REMOTE_LOGIT_FRACTION_BITS)
    unit = max(local_gain * 255, remote_gain * 32768) / PRODUCT_MAX
    return Fusion(int(local_gain / unit), logits.zero_point, int(remote_gain / unit))


def fuse(fusion: Fusion, local: Sequence[int], remote: Sequence[int]) -> tuple[int, ...]:
    """Fused logits as the device computes them: int8 `local` and int16 `remote`, one of each a class.

    Without local logits it is the remote ones' share alone.
    """
    share = [fusion.remote_multiplier * logit for logit in remote]
    if not local:
        return tuple(share)
    return tuple(
        fusion.local_multiplier * (logit - fusion.local_zero_point) + rest
        for logit, rest in zip(local, share, strict=True)
    )


def fuse_all(fusion: Fusion, local: NDArray[np.int8] | None, remote: NDArray[np.int16]) -> NDArray[np.int64]:
    """`fuse` for many samples at once, all arrays (N, classes)."""
    share = fusion.remote_multiplier * remote.astype(np.int64)
    if local is None:
        return share
    return fusion.local_multiplier * (local.astype(np.int64) - fusion.local_zero_point) + share


def symbol_table(feature: Tensor, centroids: tuple[float, ...]) -> NDArray[np.uint8]:
    """(256,) index of the nearest centroid for the int8 feature v, at v + 128; ties go to the lower."""
    real = feature.scale * (np.arange(-128, 128) - feature.zero_point)
    distance = np.abs(real[:, None] - np.asarray(centroids)[None, :])
    nearest: NDArray[np.uint8] = distance.argmin(axis=1).astype(np.uint8)
    return nearest
