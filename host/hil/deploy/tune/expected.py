"""What the host computes of a seeded inference, for candidates to be held against."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hil.codec.order import to_runs
from hil.deploy.program import DeviceHalf

SEED = 746

Values = Mapping[str, NDArray[np.int8]]
"""Every tensor of one inference."""


def random_sample(half: DeviceHalf) -> NDArray[np.int8]:
    """Seeded random input of the graph."""
    shape = half.graph.tensor(half.graph.input).shape
    return np.random.default_rng(SEED).integers(-128, 128, shape, dtype=np.int8)


def planar_symbols(half: DeviceHalf, values: Values) -> NDArray[np.uint8]:
    """What the host makes of the feature map in `values`, channel by channel."""
    assert half.coder is not None
    assert half.feature is not None
    form = half.coder.form
    sent = values[half.feature][:, :, form.channel_begin : form.channel_begin + form.channels]
    planar = sent.transpose(2, 0, 1).ravel()
    symbol_of = np.zeros(256, np.uint8) if half.symbol_of is None else half.symbol_of
    symbols: NDArray[np.uint8] = symbol_of[planar.astype(np.int16) + 128]
    return symbols


def symbols_of(half: DeviceHalf, values: Values) -> NDArray[np.uint8]:
    """The same in the payload's order."""
    assert half.coder is not None
    return to_runs(planar_symbols(half, values), half.coder.form)


def payload_of(half: DeviceHalf, values: Values) -> bytes:
    """The same, encoded."""
    assert half.coder is not None
    return half.coder.encode(planar_symbols(half, values))
