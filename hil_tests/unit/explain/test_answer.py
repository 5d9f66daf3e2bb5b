"""What a bundle's own answers rest on."""

from __future__ import annotations

import numpy as np
import pytest

from hil import bundle as bundles
from hil import data
from hil.explain.answer import Importance, importance
from hil.zoo import shelf

IMAGES = 4


def found(name: str, alone: bool, intervals: int = 4) -> Importance:
    split = data.get("digits").load("test")
    loaded = bundles.load(shelf.FOLDER / f"{name}-digits.safetensors")
    return importance(loaded, split.images[:IMAGES], split.labels[:IMAGES], np.full(IMAGES, alone), intervals)


@pytest.mark.parametrize("scheme", ["agilenn", "deepcod", "spinn", "edge_only", "mcunet"])
def test_every_scheme_has_a_share_for_each_channel(scheme: str) -> None:
    made = found(scheme, alone=False)
    assert np.isfinite(made.maps).all()
    assert made.channels.shape == made.maps.shape[:2]
    assert made.channels.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    assert made.of_input == (scheme == "mcunet")
    assert (made.kept > 0) == (scheme == "agilenn")


def test_where_the_device_answered_alone_only_its_own_channels_count() -> None:
    made = found("agilenn", alone=True)
    assert made.maps[:, made.kept :].max() == 0
    assert made.channels[:, : made.kept].sum(axis=1) == pytest.approx(1.0, abs=1e-5)


def test_more_intervals_attribute_the_whole_loss() -> None:
    """Completeness (Sundararajan et al.): signed shares add up to loss(map) − loss(0), so they settle."""
    sums = [found("agilenn", False, n).attributions.sum(axis=(1, 2, 3)) for n in (1, 32, 64)]
    assert np.abs(sums[2] - sums[1]).max() < 0.1 * max(np.abs(sums[2] - sums[0]).max(), 0.1)
