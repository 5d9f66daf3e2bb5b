"""Integer fusion orders the classes as the real-valued fusion does."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hil.deploy.fuse import PRODUCT_MAX, fuse, fuse_all, make_fusion, symbol_table
from hil.deploy.graph import Tensor

LOGITS = st.builds(
    lambda scale, zero: Tensor("logits", (1, 1, 10), scale, zero),
    st.floats(0.001, 1.0),
    st.integers(-128, 127),
)


@given(LOGITS, st.floats(0.0, 1.0), st.integers(0, 2**32 - 1))
def test_fused_logits_are_the_weighted_sum_in_one_unit(logits: Tensor, alpha: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    local = rng.integers(-128, 128, 10, dtype=np.int8)
    remote = rng.integers(-32768, 32768, 10, dtype=np.int16)
    fusion = make_fusion(alpha, logits)
    real = alpha * logits.scale * (local.astype(float) - logits.zero_point) + (1 - alpha) * remote / 256
    unit = max(alpha * logits.scale * 255, (1 - alpha) / 256 * 32768) / PRODUCT_MAX
    fused = np.array(fuse(fusion, local.tolist(), remote.tolist()))
    np.testing.assert_allclose(fused * unit, real, atol=unit * (255 + 32768))


@given(LOGITS, st.floats(0.0, 1.0))
def test_fused_logits_never_overflow(logits: Tensor, alpha: float) -> None:
    fusion = make_fusion(alpha, logits)
    extreme = 255 * abs(fusion.local_multiplier) + 32768 * abs(fusion.remote_multiplier)
    assert extreme <= 2 * PRODUCT_MAX < 2**31


@given(st.floats(0.0, 1.0), st.lists(st.integers(-32768, 32767), min_size=1, max_size=10))
def test_without_local_logits_the_answer_is_the_remote_one(alpha: float, remote: list[int]) -> None:
    assert fuse(make_fusion(alpha, None), (), remote) == tuple(remote)


@given(st.none() | LOGITS, st.floats(0.0, 1.0), st.integers(0, 2**32 - 1))
def test_many_samples_are_fused_as_one_is(logits: Tensor | None, alpha: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    local = None if logits is None else rng.integers(-128, 128, (3, 7), dtype=np.int8)
    remote = rng.integers(-32768, 32768, (3, 7), dtype=np.int16)
    fusion = make_fusion(alpha, logits)
    for index, fused in enumerate(fuse_all(fusion, local, remote)):
        alone = () if local is None else local[index].tolist()
        assert fuse(fusion, alone, remote[index].tolist()) == tuple(fused)


@given(
    st.lists(st.integers(0, 6000).map(lambda n: n / 1000), min_size=2, max_size=32, unique=True).map(sorted),
    st.floats(0.005, 0.05),
    st.integers(-128, 127),
)
def test_every_feature_value_maps_to_its_nearest_centroid(
    centroids: list[float], scale: float, zero_point: int
) -> None:
    table = symbol_table(Tensor("feature", (8, 8, 24), scale, zero_point), tuple(centroids))
    for value in range(-128, 128):
        real = scale * (value - zero_point)
        chosen = abs(real - centroids[table[value + 128]])
        assert all(chosen <= abs(real - centroid) for centroid in centroids)
    assert (np.diff(table.astype(int)) >= 0).all()
